// The dialogs over the chat: uploading documents, and a page of one as a picture. Uses page.js.
(() => {
  const { acts, draws, find, all, send, sync } = glassbox;
  const FRESH_MS = 1_800_000; // the address of a page opens for an hour
  const dialog_of = (name) => find(`#${name} dialog`);

  // Draws a dialog with a head and a scrolling body. Escape, a click beside it and its button close it.
  draws.dialog = (element, name, label) => {
    const dialog = document.createElement("dialog"), head = document.createElement("div"), body = document.createElement("div");
    const heads = [], bodies = [];
    body.className = "dialog-body";
    for (const [key, value] of [["role", "region"], ["aria-label", label], ["tabindex", "0"]]) body.setAttribute(key, value);
    dialog.setAttribute("aria-label", label);
    dialog.append(head, body);
    element.append(dialog);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    return (parts) => {
      const key = dialog.contains(document.activeElement) && document.activeElement.dataset.key;
      sync(head, heads, parts.slice(0, 1));
      sync(body, bodies, parts.slice(1));
      if (key && !find(`[data-key="${key}"]:focus`, dialog)) (find(`[data-key="${key}"]:not(:disabled)`, dialog) ?? body).focus();
      if (name === "documents") { handed = false; pump(); }
      if (name === "document-page") body.scrollTop = 0;
    };
  };

  function open(name) {
    const dialog = dialog_of(name);
    if (dialog && !dialog.open) dialog.showModal();
  }

  acts["close-dialog"] = (button) => button.closest("dialog").close();

  // Uploading files -----------------------------------------------------------------------------------------------

  const waiting = []; // files that were dropped and are not being sent yet
  let sending = null; // AbortController of those that are being sent
  let handed = false; // whether files were sent and the server has not answered yet

  // Takes files, each with the name to bring it under: of one that comes in a folder, its path.
  function take(named) {
    if (!named.length) return;
    waiting.push(...named);
    open("documents");
    pump();
  }

  async function pump() {
    const drop = find("#documents .drop");
    if (!drop || sending || handed || !waiting.length || find("#documents [data-busy]")) return;
    const files = waiting.splice(0), stop = (sending = new AbortController()), brought = [];
    if (files.length <= +drop.dataset.files)
      for (const [at, { file, name }] of files.entries()) {
        const doing = text_of(files.length > 1 ? "script.sending_one_of" : "script.sending", { name, number: at + 1, count: files.length });
        const report = (share) => show_progress(drop, doing, (at + share) / files.length);
        report(0);
        brought.push({ name, ...(file.size > +drop.dataset.bytes ? { code: "too_large" } : await put(file, report, stop.signal)) });
        if (stop.signal.aborted) break;
      }
    else brought.push(...files.map(({ name }) => ({ name }))); // too many: the server says so
    sending = null;
    drop.classList.remove("busy");
    if (stop.signal.aborted) return;
    handed = true;
    send("add_files", { files: brought });
  }

  // What operating systems put into folders is no document.
  const OF_THE_SYSTEM = /(^|\/)(\.|__MACOSX\/|thumbs\.db$|desktop\.ini$)/i;
  const named = (file) => ({ file, name: file.webkitRelativePath || file.name });
  const wanted = ({ name }) => !(name.includes("/") && OF_THE_SYSTEM.test(name));

  // Returns the files of what was dropped, those of folders and of the folders in them too.
  async function dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files].map(named);
    return (await Promise.all(entries.map(inside))).flat().filter(wanted);
  }

  async function inside(entry) {
    const read = (from, how) => new Promise((done) => from[how](done, () => done(null))); // null where it cannot be read
    if (entry.isFile) {
      const file = await read(entry, "file");
      return file ? [{ file, name: entry.fullPath.slice(1) }] : [];
    }
    const reader = entry.createReader(), found = [];
    for (let some; (some = await read(reader, "readEntries"))?.length; ) found.push(...some);
    return (await Promise.all(found.map(inside))).flat();
  }

  function choose_files({ of_folder }) {
    const input = find("#documents input[type=file]");
    input.webkitdirectory = of_folder;
    input.click();
  }

  function show_progress(drop, text, share) {
    drop.classList.add("busy");
    find(".sending p", drop).textContent = text;
    find(".sending i", drop).style.setProperty("--share", share);
  }

  // Returns why a file was refused, as the server's code.
  function refused({ status, responseText }) {
    if (status === 429) return "busy";
    try { return status === 413 ? JSON.parse(responseText).code ?? "too_large" : "not_kept"; } catch { return "too_large"; }
  }

  // Uploads a file under a name that nobody can guess; the file's own name goes with the event.
  const put = (file, report, signal) => new Promise((done) => {
    const request = new XMLHttpRequest(), form = new FormData();
    form.append("files", file, crypto.getRandomValues(new Uint32Array(4)).join("-"));
    request.upload.onprogress = ({ loaded, total }) => report(loaded / total);
    request.onload = () => done(request.status === 200 ? { path: JSON.parse(request.responseText)[0] } : { code: refused(request) });
    request.onerror = request.onabort = () => done({ code: "not_kept" });
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", new URL("gradio_api/upload", document.baseURI));
    request.send(form);
  });

  Object.assign(acts, {
    documents: () => {
      if (innerWidth < 900) find(".sidebar.open .toggle-button")?.click();
      open("documents");
      send("documents");
    },
    choose: () => choose_files({ of_folder: false }),
    "choose-folder": () => choose_files({ of_folder: true }),
    halt: () => (sending ? sending.abort() : send("cancel_upload")),
    tidy: () => { send("close_upload"); find("#documents [data-act=choose]").focus(); },
    remove: (button) => { send("remove", button.closest(".row").dataset); find("#documents [data-act=choose]").focus(); },
    "replace-older": (button) => { send("remove", button.closest(".older").dataset); find("#documents [data-act=choose]").focus(); },
    "remove-all": () => { send("remove_all"); find("#documents [data-act=choose]").focus(); },
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("#documents .address");
    if (!form) return;
    event.preventDefault();
    if (find("#documents [data-busy]") || handed) return;
    handed = true;
    send("add_address", { address: form.elements.address.value.trim() });
    form.reset();
  });

  document.addEventListener("change", ({ target }) => {
    if (!target.closest?.(".drop")) return;
    take([...target.files].map(named).filter(wanted));
    target.value = "";
    target.webkitdirectory = false;
  });

  // Files may be dropped anywhere; the page says so while they are dragged over it.
  const has_files = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const hang = (is_over) => document.body.classList.toggle("hanging", is_over);
  document.addEventListener("dragenter", (event) => { if (has_files(event)) { depth += 1; hang(true); } });
  document.addEventListener("dragleave", (event) => { if (has_files(event)) { depth -= 1; if (depth <= 0) { depth = 0; hang(false); } } });
  document.addEventListener("dragover", (event) => { if (has_files(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!has_files(event)) return;
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    hang(false);
    dropped(event.dataTransfer).then(take);
  }, true);

  // A page --------------------------------------------------------------------------------------------------------

  const last = { asked: "", at: 0 };
  // The profile through which a document was found, and can be opened.
  const profile_of = (element) => element.dataset.profile ?? element.closest(".source")?.dataset.profile ?? "";

  acts["show-page"] = (button) => {
    const { document: id, page, start, end } = button.dataset, profile = profile_of(button);
    const asked = [id, page, start, end, profile].join();
    const dialog = dialog_of("document-page"), figure = find(".page-picture", dialog);
    const is_there = asked === last.asked && Date.now() - last.at < FRESH_MS && figure?.classList.contains("seen");
    if (!is_there) {
      figure?.classList.remove("seen", "failed"); // hides the page of another source while this one is loaded
      if (asked === last.asked && figure) find("img", figure).src += ""; // the same address may come again and cause no load event
      Object.assign(last, { asked, at: Date.now() });
      send("show_page", { document: id, page, start, end, profile });
    }
    open("document-page");
  };

  acts.zoom = (button) => {
    const body = button.closest(".dialog-body"), middle = (body.scrollTop + body.clientHeight / 2) / body.scrollHeight;
    button.closest(".page-picture").classList.toggle("large");
    body.scrollTop = middle * body.scrollHeight - body.clientHeight / 2;
  };

  document.addEventListener("load", ({ target }) => {
    if (!target.matches?.(".page-picture img")) return;
    target.closest(".page-picture").classList.add("seen");
    const body = target.closest(".dialog-body"), share = marked_at(target);
    if (share !== null) body.scrollTop = target.closest(".page-picture").offsetTop + share * target.clientHeight - body.clientHeight / 3;
  }, true);
  document.addEventListener("error", ({ target }) => {
    if (target.matches?.(".page-picture img")) target.closest(".page-picture").classList.add("failed");
  }, true);

  // Returns where the marked passage begins on a picture, from its top (0) to its end (1); null where nothing is marked.
  function marked_at(image) {
    const wide = 64, high = 512, canvas = Object.assign(document.createElement("canvas"), { width: wide, height: high });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0, wide, high);
    const { data } = pen.getImageData(0, 0, wide, high);
    for (let at = 0; at < data.length; at += 4)
      if (data[at] > 200 && data[at + 1] > 180 && data[at + 2] < 160) return Math.floor(at / 4 / wide) / high;
    return null;
  }

  document.addEventListener("keydown", (event) => {
    const sign = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (sign && event.target.closest?.("#document-page dialog")) find(`#document-page [data-key=${sign}]:not(:disabled)`)?.click();
  });

  // Around a passage ----------------------------------------------------------------------------------------------

  document.addEventListener("toggle", ({ target }) => {
    if (!target.matches?.("details.around[open]") || !find(".skeleton", target)) return;
    send("around", { ...target.dataset, profile: profile_of(target) });
  }, true);

  draws.around = () => ([key, html] = []) => {
    if (!key) return;
    for (const place of all(`details.around[data-key="${key}"] .filled`)) place.innerHTML = html;
  };
})();
