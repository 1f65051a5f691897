// Draws the values of the page's components. A value is a list of safe HTML strings from Python, one element each; only
// elements that changed are exchanged, so that open details, selections and focus in all others stay as they are.
window.glassbox = (() => {
  const NEAR_PX = 90; // from its end a box counts as scrolled to it
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const shown = { conversation: "?" };
  const after = []; // called whenever something was drawn

  // A stage is a column with a live turn and the panes beside it; a page may have several, and none hears another. What
  // stands in no stage, like the sidebar, belongs to the page. Each has its own
  // senders: event name → Gradio's trigger of the component that declared it
  // panes: pane name → {draw, now, earlier, block}
  // running: the id of the running turn; earlier: that of the earlier turn in the panes; article: the element of the live turn
  // question: the number of a question that is being started; asked: the id of its turn, once that was drawn
  // is_asked: whether its text is still in the composer; clock: when the live turn was drawn
  // paged: the button of another version that was pressed, until that is drawn
  // draft: what was typed before a question was edited
  const stages = new Map();

  function stage_of(element) {
    const root = element?.closest(".stage") ?? document.body;
    if (!stages.has(root)) stages.set(root, {
      root, senders: new Map(), panes: new Map(), running: "", earlier: "", question: "", asked: "", is_asked: false, article: null, paged: null, draft: "",
      clock: { turn: "", at: "", since: 0 },
    });
    return stages.get(root);
  }

  // `from`: an element of the stage that is meant, by default the page's first one.
  function send(name, given = {}, from = find(".stage")) {
    const trigger = stage_of(from).senders.get(name) ?? stage_of(document.body).senders.get(name);
    trigger?.(name, given);
  }

  const element_of = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content.firstElementChild;

  // Drawing ---------------------------------------------------------------------------------------------------------

  function sync(host, drawn, parts) {
    parts.forEach((html, at) => {
      if (drawn[at]?.html === html) return;
      let node = element_of(html);
      if (drawn[at]) node = replaced(drawn[at].node, node);
      else { node.classList.add("fresh"); host.append(node); }
      drawn[at] = { html, node };
    });
    for (const gone of drawn.splice(parts.length)) gone.node.remove();
  }

  // Exchanges only what differs inside a block of code, so that the button above it stays pressed or focused, and inside the
  // list of steps, so that an open result stays open, and inside of a group of choices, which keeps its focus and scroll.
  function replaced(old, node) {
    if (!find(".code-head", old) && !old.matches(".timeline, fieldset, .keyless, .kept")) { old.replaceWith(node); return node; }
    // A choice of the person is no attribute, and what is equal is not looked into.
    for (const radio of all("input[type=radio]", node)) {
      const same = find(`input[value="${CSS.escape(radio.value)}"]`, old);
      if (same) same.checked = radio.checked;
    }
    return grafted(old, node);
  }

  function grafted(old, node) {
    if (old.isEqualNode(node) || old.classList?.contains("copied")) return old;
    if (old.nodeName !== node.nodeName || !old.attributes) { old.replaceWith(node); return node; }
    for (const { name } of [...old.attributes]) if (!node.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const before = [...old.childNodes], after = [...node.childNodes];
    after.forEach((child, at) => (before[at] ? grafted(before[at], child) : old.append(child)));
    for (const gone of before.slice(after.length)) gone.remove();
    return old;
  }

  // A box that was scrolled to its end stays there while it grows; one that was scrolled up does not move. The position is
  // read on scroll events, and scrolling waits for the next frame, so that a frame costs one layout.
  const left = new WeakSet(); // boxes that were scrolled up
  const behind = new Set(); // boxes to scroll to their end with the next frame
  const tops = new WeakMap(); // box → its last scroll position
  const at_end = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;

  function moved({ target: box }) {
    const went_up = box.scrollTop < tops.get(box);
    tops.set(box, box.scrollTop);
    if (at_end(box)) left.delete(box);
    else if (went_up) { left.add(box); behind.delete(box); }
  }

  function take_along(box) {
    if (left.has(box)) return;
    if (!behind.size) requestAnimationFrame(() => {
      for (const each of behind) each.scrollTop = each.scrollHeight;
      behind.clear();
    });
    behind.add(box);
  }

  // A box stays where it is, for somebody who reads there.
  function stay(box) {
    left.add(box);
    behind.delete(box);
  }

  const draws = {
    list(element, name) {
      const drawn = [], box = element.closest("#scroll"), stage = stage_of(element);
      return (parts) => {
        sync(element, drawn, parts);
        if (stage.paged && name === "thread") paged(stage, element, box);
        else if (box && find(".turn", element)) take_along(box);
        drawn_now();
        if (name === "bar") bar_drawn(element);
        if (name === "notice" && parts.length) { stage.paged = null; find("#question textarea")?.focus(); }
      };
    },

    turn(element) {
      const article = document.createElement("article"), drawn = [], box = element.closest("#scroll"), stage = stage_of(element);
      return (parts) => {
        if (!parts.length) { article.remove(); sync(article, drawn, []); return turn_drawn(stage, null); }
        const shell = element_of(parts[0]), is_new = article.dataset.turn !== shell.dataset.turn || !article.isConnected;
        for (const { name, value } of shell.attributes) if (article.getAttribute(name) !== value) article.setAttribute(name, value);
        if (!article.isConnected) {
          find(".hero", stage.root)?.remove(); // the update that empties the thread may come a moment later
          element.append(article);
        }
        sync(article, drawn, parts.slice(1));
        if (box) {
          if (is_new) left.delete(box);
          take_along(box);
        }
        turn_drawn(stage, article);
      };
    },

    pane(element, name, label) {
      const head = document.createElement("div"), body = document.createElement("div"), heads = [], bodies = [];
      const stage = stage_of(element), pane = { now: [], earlier: [], block: element.closest(".block") };
      body.className = "body";
      for (const [key, value] of [["role", "region"], ["aria-label", label], ["tabindex", "0"]]) body.setAttribute(key, value);
      element.append(head, body);
      let turn, was_growing = false;
      const draw = () => {
        const parts = stage.earlier && pane.earlier[0] === stage.earlier ? pane.earlier.slice(1) : pane.now;
        sync(head, heads, parts.slice(0, 1));
        sync(body, bodies, parts.slice(1));
        const turn_now = find("[data-turn]", head)?.dataset.turn, is_growing = !!find(".state.running", head);
        if (turn !== turn_now) { body.scrollTop = 0; at_end(body) ? left.delete(body) : left.add(body); }
        else if (is_growing || was_growing) take_along(body);
        turn = turn_now;
        was_growing = is_growing;
        pane_drawn(stage, name, head);
      };
      stage.panes.set(name, Object.assign(pane, { draw }));
      return (parts) => { pane.now = parts; draw(); };
    },

    // An earlier turn is drawn in the pane itself, in the place of the present one.
    earlier(element, name) {
      const stage = stage_of(element);
      return (parts) => {
        const pane = stage.panes.get(name);
        if (!pane || !parts.length) return;
        pane.earlier = parts;
        stage.earlier = parts[0];
        pane.draw();
      };
    },
  };

  function keyed(element, props, watch, trigger, how) {
    const name = how.name || element.closest(".block").id;
    for (const event of how.events) stage_of(element).senders.set(event, trigger);
    const draw = draws[how.draws](element, name, how.label);
    watch("value", () => draw(props.value || []));
    draw(props.value || []);
  }

  const drawn_now = () => after.forEach((each) => each());

  function bar_drawn(element) {
    const { conversation, shows } = find(".top", element).dataset, title = find("h1", element).textContent;
    if (conversation === "?") return; // the server has said nothing yet
    address(conversation, shows);
    document.title = conversation ? `${title} · Glassbox` : "Glassbox";
    if (conversation === shown.conversation) return;
    if (shown.conversation === "?") {
      document.body.classList.add("ready");
      connection.restore();
      if (!phone()) find("#question textarea").focus(); // what is hidden cannot be focused: `autofocus` alone is lost
    }
    shown.conversation = conversation;
    present(stage_of(element));
    tab("chat", stage_of(element));
    if (phone()) sidebar(false);
    setTimeout(() => { const box = find("#scroll"); box.scrollTop = find(".hero", box) ? 0 : box.scrollHeight; });
  }

  // The address follows what is shown. Only a conversation that was chosen is a step of the browser's history: not one that
  // the first question of an empty page began, nor the empty page after a deletion.
  const travel = { shows: "0", chosen: null, pending: 0 };
  const addressed = () => new URLSearchParams(location.search).get("c") ?? "";

  function address(conversation, shows) {
    const is_shown = shows !== travel.shows; // what the server was asked to show
    travel.shows = shows;
    if (is_shown && travel.pending) travel.pending -= 1;
    if (travel.pending) return; // on the way back or forward
    const is_step = is_shown && travel.chosen === conversation;
    if (is_shown) travel.chosen = null;
    if (conversation === addressed()) return;
    const next = new URL(location.href);
    conversation ? next.searchParams.set("c", conversation) : next.searchParams.delete("c");
    history[is_step ? "pushState" : "replaceState"](null, "", next);
  }

  addEventListener("popstate", () => {
    const conversation = addressed();
    if (conversation === shown.conversation && !travel.pending) return;
    travel.pending += 1;
    if (conversation) send("open", { conversation });
    else find("#new-chat").click();
    travel.chosen = null;
  });

  function turn_drawn(stage, article) {
    stage.article = article;
    const running = article?.dataset.state === "running" ? article.dataset.turn : "";
    tick();
    drawn_now();
    if (article && find("#status").textContent !== article.dataset.said) find("#status").textContent = article.dataset.said;
    const turn = article?.dataset.turn, is_asked = stage.question && turn && turn !== stage.asked; // it may have ended before it was drawn
    if (is_asked) [stage.asked, stage.is_asked] = [turn, true];
    if (running === stage.running && !is_asked) return;
    stage.running = running;
    send("running", {}, stage.root);
    if (!running) return;
    present(stage);
    tab("chat", stage);
    if (!stage.question) send("follow", {}, stage.root);
  }

  function pane_drawn(stage, name, head) {
    const button = find(`[role=tab][data-tab=${name}]`, stage.root);
    if (button) {
      button.dataset.count = find("[data-count]", head)?.dataset.count ?? "";
      button.classList.toggle("busy", !!find(".state.running", head));
    }
    stage.panes.get(name)?.block.classList.toggle("is-earlier", !!stage.earlier);
    drawn_now();
  }

  // Earlier turns ---------------------------------------------------------------------------------------------------

  // Shows the running or last turn again, after an earlier one.
  function present(stage) {
    if (!stage.earlier) return;
    stage.earlier = "";
    stage.panes.forEach((pane) => pane.draw());
  }

  // The frame -------------------------------------------------------------------------------------------------------

  const phone = () => innerWidth < 900;

  function tab(name, stage) {
    stage.root.dataset.tab = name;
    stage.panes.forEach((pane, of) => pane.block.toggleAttribute("data-chosen", of === name));
    for (const button of all("[role=tab][data-tab]", stage.root)) {
      const is_chosen = button.dataset.tab === name;
      button.setAttribute("aria-selected", is_chosen);
      button.tabIndex = is_chosen ? 0 : -1;
    }
  }

  function sidebar(open) {
    const side = find(".sidebar");
    if (side && side.classList.contains("open") !== open) find(".toggle-button", side)?.click();
  }

  // Runs once, before the page is visible. Returns the conversation in the address and the clock's minutes west of UTC. The
  // page is visible when the server's answer is drawn: an earlier question would have no visitor, and its conversation no owner.
  async function ready() {
    dress();
    find(".sidebar-parent")?.classList.remove("sidebar-parent"); // page.css says why
    if (phone()) sidebar(false);
    find("#unkept").hidden = storage.lasts;
    new ResizeObserver(composer_grew).observe(find("#compose"));
    for (const about of all(".about-choices")) new MutationObserver(() => describe(about.dataset)).observe(document.getElementById(about.dataset.of), { childList: true, subtree: true });
    await Promise.race([document.fonts.ready, new Promise((done) => setTimeout(done, 1500))]);
    return [addressed(), new Date().getTimezoneOffset()];
  }

  // Puts what each choice of an open dropdown means under its title; the texts stand beside it, by titles.
  function describe({ of, texts }) {
    for (const choice of all("[role=option]:not([data-about])", document.getElementById(of))) {
      const about = JSON.parse(texts)[choice.getAttribute("aria-label")] ?? "";
      choice.dataset.about = about;
      choice.setAttribute("aria-label", [choice.getAttribute("aria-label"), about].filter(Boolean).join(". "));
    }
  }

  function composer_grew() {
    const box = find("#scroll"), question = find("#question");
    box.style.setProperty("--compose", `${find("#compose").offsetHeight}px`);
    question.style.setProperty("--grown", `${question.offsetHeight - 54}px`);
    if (find(".turn", box)) take_along(box);
  }

  // Shows the stop button exactly while a turn runs, and removes a question that was asked from the composer.
  function composer(typed, stage) {
    const asked = stage.article && find(".bubble", stage.article)?.textContent.trim();
    const is_taken = (stage.running || stage.is_asked) && asked === (typed ?? "").trim(), draft = stage.draft;
    stage.is_asked = false;
    if (is_taken) stage.draft = "";
    return { __type__: "update", submit_btn: stage.running ? false : text_of("script.send"), stop_btn: stage.running ? text_of("script.stop") : false, ...(is_taken ? { value: draft } : {}) };
  }

  // Copies every character as it is: a text field would change line ends, so it only serves to have a selection.
  async function copy(text, button) {
    try { await navigator.clipboard.writeText(text); } catch { // no clipboard without https: the old way
      const area = Object.assign(document.createElement("textarea"), { value: "." });
      const give = (event) => { event.clipboardData.setData("text/plain", text); event.preventDefault(); };
      document.body.append(area); area.select();
      document.addEventListener("copy", give, { once: true });
      document.execCommand("copy");
      document.removeEventListener("copy", give);
      area.remove(); button.focus({ preventScroll: true });
    }
    button.classList.add("copied");
    find("#status").textContent = text_of("script.copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  }

  const artifact_of = (button) => button.closest(".artifact").dataset;

  function download(text, name, type) {
    const href = URL.createObjectURL(new Blob([text], { type })), link = Object.assign(document.createElement("a"), { href, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  const acts = {
    theme: () => localStorage.setItem("glassbox-theme", document.body.classList.toggle("dark") ? "dark" : "light"),
    menu: () => sidebar(true),
    tab: (button) => tab(button.dataset.tab, stage_of(button)),
    present: (button) => present(stage_of(button)),
    models,
    "test-model": test_model,
    example: (button) => send("example", { question: button.dataset.question }, button),
    open: (button) => { const row = button.closest(".row").dataset; travel.chosen = row.conversation; send("open", row); },
    doubt: (button) => { button.closest(".row").classList.add("doubtful"); find(".sure button", button.parentNode).focus(); },
    keep: (button) => { const row = button.closest(".row"); row.classList.remove("doubtful"); find(".bin", row).focus(); },
    delete: (button) => send("delete", button.closest(".row").dataset),
    retry: (button) => send("retry", button.closest(".turn").dataset, button),
    "search-more": (button) => send("retry", { turn: button.closest(".turn").dataset.turn, widens: true }, button),
    "go-on": (button) => send("go_on", button.closest(".turn").dataset, button),
    edit,
    version,
    cancel,
    close: (button) => send("close", {}, button),
    copy: (button) => copy(JSON.parse(button.closest(".facts").dataset.answer), button), // the Markdown that was written
    "copy-code": (button) => copy(find("code", button.closest(".code")).textContent.replace(/\n$/, ""), button),
    "copy-artifact": (button) => copy(JSON.parse(artifact_of(button).content), button),
    "download-artifact": (button) => { const { content, name, type } = artifact_of(button); download(JSON.parse(content), name, type); },
    "download-csv": (button) => { const { csv, csvName } = artifact_of(button); download(JSON.parse(csv), csvName, "text/csv;charset=utf-8"); },
    "copy-question": (button) => copy(find(".bubble", button.closest(".asked")).textContent, button),
  };

  // Brings a question back into the composer; what was typed there comes back when that was sent, or is given up.
  function edit(button) {
    const stage = stage_of(button);
    if (!find("[data-act=cancel]", stage.root)) stage.draft = find("#question textarea", stage.root).value;
    send("edit", button.closest(".turn").dataset, button);
  }

  function cancel(button) {
    const stage = stage_of(button);
    send("cancel", { draft: stage.draft }, button);
    stage.draft = "";
  }

  // Another version of a turn: the button that was pressed stays where it is on the screen, and keeps the focus.
  function version(button) {
    if (button.getAttribute("aria-disabled")) return;
    const stage = stage_of(button);
    present(stage);
    stage.paged = { key: button.dataset.key, top: button.getBoundingClientRect().top };
    send("show_version", { version: button.dataset.version }, button);
  }

  function paged(stage, element, box) {
    const { key, top } = stage.paged, button = find(`[data-key="${key}"]`, element);
    stage.paged = null;
    if (!button || !box) return;
    left.add(box);
    box.scrollTop += button.getBoundingClientRect().top - top;
    button.focus({ preventScroll: true });
  }

  // Moves the focus to the list of models and outlines it for a moment: browsers do not draw a focus that a click moved.
  function models() {
    const list = find("#model");
    sidebar(true);
    find("input:checked", list)?.focus();
    list.scrollIntoView({ block: "nearest" });
    list.classList.add("called");
    setTimeout(() => list.classList.remove("called"), 2500);
  }

  // Scrolls the list to the chosen model, once for each: with many models it would be out of sight when the page opens.
  let chosen_model;
  after.push(() => {
    const input = find("#model input:checked"), list = input?.closest(".models");
    if (!list || input.value === chosen_model || !list.clientHeight) return; // a height costs a layout
    chosen_model = input.value;
    const row = input.closest("label").getBoundingClientRect(), { top, bottom } = list.getBoundingClientRect();
    list.scrollTop += Math.min(row.top - top, 0) || Math.max(row.bottom - bottom, 0);
  });

  // Looks for models that are new, such as Ollama's, when somebody comes to the list; at most every few seconds.
  let looked_ms = 0;
  function look_for_models({ target }) {
    const list = target.closest?.("#model");
    if (!list || Date.now() - looked_ms < 5000) return;
    looked_ms = Date.now();
    send("open_models", { label: find("input:checked", list)?.value ?? "" }, list);
  }
  document.addEventListener("pointerover", look_for_models);
  document.addEventListener("focusin", look_for_models);

  function test_model(button) {
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", true);
    find("[role=status]", button.parentNode).textContent = text_of("script.testing");
    send("test_model", { label: button.dataset.label, own_key: glassbox.own_key?.() ?? "" }, button);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#new-chat")) travel.chosen = "";
    const button = event.target.closest("[data-act]");
    if (button) acts[button.dataset.act]?.(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "model") send("choose", { label: event.target.value });
    if (event.target.name === "profile") glassbox.choose_profile(event.target);
  });
  document.addEventListener("scroll", moved, { capture: true, passive: true });
  // An open dropdown stays at its field, which Gradio sees to when the window scrolls alone.
  document.addEventListener("scroll", ({ target }) => { if (target.contains?.(find("#sidebar [role=listbox]"))) dispatchEvent(new Event("scroll")); }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.getAttribute?.("role") !== "tab") return;
    const tabs = all("[role=tab]", event.target.parentNode), next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    tab(next.dataset.tab, stage_of(next));
    next.focus();
  });

  // Counts the times of running steps between two views: the turn holds how long it had run (data-at, seconds), and a time
  // holds when its step began (data-began).
  const tick = () => stages.forEach(tick_stage);

  function tick_stage({ article, clock }) {
    if (!article) return;
    const { turn, at } = article.dataset, now = performance.now();
    if (clock.turn !== turn || clock.at !== at) Object.assign(clock, { turn, at, since: now });
    for (const time of all("[data-began]", article)) {
      const s = Math.max(0, +at + (now - clock.since) / 1000 - +time.dataset.began);
      time.textContent = time.closest(".waiting") ? (s < 1 ? "" : `${Math.floor(s)} s`) : s < 0.9995 ? `${(s * 1000).toFixed(0)} ms` : `${s.toFixed(1)} s`;
    }
  }
  setInterval(tick, 100);

  // Numbers the buttons of blocks of code that begin alike, from the second on.
  after.push(() => {
    const seen = new Map();
    for (const button of all("[data-act=copy-code]")) {
      const name = (button.dataset.name ??= button.getAttribute("aria-label")), count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const label = count > 1 ? `${name} (${count})` : name;
      if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.lang = "en";
    dress();
  });

  // Light or dark as was chosen here; Gradio follows the system alone, and does so again when it has loaded.
  function dress() {
    const theme = localStorage.getItem("glassbox-theme");
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  }

  // Replaces the model and the preferences at the end of some values by those that the page shows now.
  function chosen(given) {
    const [model, preferences] = given.splice(-2), profile = find("#profile input:checked")?.value ?? "";
    return [...given, find("#model input:checked")?.value ?? model, { ...(glassbox.preferences ?? preferences), profile }];
  }

  // Adds to the values of a question the visitor's own key for the model. They are sent and kept nowhere.
  function asked(given) {
    const values = chosen(given), own_key = glassbox.own_key();
    return [...values.slice(0, -1), { ...values.at(-1), ...(own_key && { own_key }) }];
  }

  // Returns the values of a question that replaces nothing. Its follower is sent at once and waits on the server for the turn, so that
  // the first words need no second round trip. The question's number joins the two.
  function asked_anew(given, stage) {
    const values = asked(given);
    if (stage.running || stage.question || find("[data-act=cancel]", stage.root)) return values;
    stage.question = `${Math.random()}`;
    setTimeout(send, 0, "follow", { question: stage.question }, stage.root);
    return [...values.slice(0, -1), { ...values.at(-1), question: stage.question }];
  }

  // Runs when a follower has ended: a turn that was drawn meanwhile and has no follower gets one.
  function followed(given, stage) {
    const had_question = stage.question;
    stage.question = "";
    if (had_question && stage.running) send("follow", {}, stage.root);
    return given;
  }

  // Returns the functions that Gradio's listeners of a stage call, by the id of its element.
  function stage(id) {
    const own = () => stage_of(document.getElementById(id));
    return {
      asked_anew: (given) => asked_anew(given, own()),
      followed: (given) => followed(given, own()),
      composer: (typed) => composer(typed, own()),
    };
  }

  // From `acts` on it is what the other scripts stand on.
  return { keyed, ready, stage, chosen, asked, acts, draws, find, all, send, sync, after, calm, copy, download, stage_of, stay, present, tab, element_of, grafted, dress };
})();
