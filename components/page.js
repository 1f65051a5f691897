// The page's only script. A value is a flat list of safe HTML strings, one element each, made by Python; here only what
// changed touches the DOM, so that open details, selections and focus in everything else stay as they are.
window.glassbox = (() => {
  const NEAR_PX = 90; // a reader this close to the end is taken along
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const senders = new Map(); // event name → Gradio's trigger of the component that declared it
  const panes = new Map(); // pane name → {draw, now, earlier}
  const shown = { conversation: "?", running: "", earlier: "", question: "" };
  const after = []; // called whenever something was drawn

  const send = (name, given = {}) => senders.get(name)?.(name, given);
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

  // Code that grows keeps the button above it, pressed or focused as it is: only what differs is exchanged.
  function replaced(old, node) {
    if (!find(".code-head", old)) { old.replaceWith(node); return node; }
    return grafted(old, node);
  }

  function grafted(old, node) {
    if (old.isEqualNode(node) || old.classList?.contains("copied")) return old;
    if (old.nodeName !== node.nodeName || !old.attributes) { old.replaceWith(node); return node; }
    for (const { name } of [...old.attributes]) if (!node.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const before = [...old.childNodes], after = [...node.childNodes];
    after.forEach((child, at) => (before[at] ? grafted(before[at], child) : old.append(child)));
    for (const gone of before.slice(after.length)) gone.remove();
    return old;
  }

  // Whoever reads at the end is taken along; whoever went further up is left in peace. Where a reader is, is seen when the
  // reader moves, and taking along waits for the next frame: so a frame costs one layout, however much changes.
  const left = new WeakSet(); // boxes whose reader went further up
  const behind = new Set(); // boxes that are taken along with the next frame
  const tops = new WeakMap(); // box → where it stood
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

  const draws = {
    list(element, name) {
      const drawn = [], box = element.closest("#scroll");
      return (parts) => {
        sync(element, drawn, parts);
        if (box && find(".turn", element)) take_along(box);
        drawn_now();
        if (name === "bar") bar_drawn(element);
        if (name === "notice" && parts.length) find("#question textarea")?.focus();
      };
    },

    turn(element) {
      const article = document.createElement("article"), drawn = [], box = element.closest("#scroll");
      return (parts) => {
        if (!parts.length) { article.remove(); sync(article, drawn, []); return turn_drawn(null); }
        const shell = element_of(parts[0]), is_new = article.dataset.turn !== shell.dataset.turn || !article.isConnected;
        for (const { name, value } of shell.attributes) if (article.getAttribute(name) !== value) article.setAttribute(name, value);
        if (!article.isConnected) {
          find(".hero")?.remove(); // the server's word that the page is no longer empty may come a moment later
          element.append(article);
        }
        sync(article, drawn, parts.slice(1));
        if (is_new) left.delete(box);
        take_along(box);
        turn_drawn(article);
      };
    },

    pane(element, name, label) {
      const head = document.createElement("div"), body = document.createElement("div"), heads = [], bodies = [];
      body.className = "body";
      for (const [key, value] of [["role", "region"], ["aria-label", label], ["tabindex", "0"]]) body.setAttribute(key, value);
      element.append(head, body);
      let turn;
      const pane = { now: [], earlier: [] };
      const draw = () => {
        const parts = shown.earlier && pane.earlier[0] === shown.earlier ? pane.earlier.slice(1) : pane.now;
        sync(head, heads, parts.slice(0, 1));
        sync(body, bodies, parts.slice(1));
        const turn_now = find("[data-turn]", head)?.dataset.turn;
        if (turn !== turn_now) { body.scrollTop = 0; at_end(body) ? left.delete(body) : left.add(body); }
        else if (name === "reasoning") take_along(body);
        turn = turn_now;
        pane_drawn(name, head);
      };
      panes.set(name, Object.assign(pane, { draw }));
      return (parts) => { pane.now = parts; draw(); };
    },

    // What a pane shows of an earlier turn: drawn in the pane itself, in the place of the present one.
    earlier(element, name) {
      return (parts) => {
        const pane = panes.get(name.replace("earlier-", ""));
        if (!pane || !parts.length) return;
        pane.earlier = parts;
        shown.earlier = parts[0];
        pane.draw();
      };
    },
  };

  function keyed(element, props, watch, trigger, how) {
    const name = element.closest(".block").id;
    for (const event of how.events) senders.set(event, trigger);
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
    present();
    tab("chat");
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

  function turn_drawn(article) {
    const running = article?.dataset.state === "running" ? article.dataset.turn : "";
    tick();
    drawn_now();
    if (article && find("#status").textContent !== article.dataset.said) find("#status").textContent = article.dataset.said;
    if (running === shown.running) return;
    shown.running = running;
    send("running");
    if (!running) return;
    present();
    tab("chat");
    if (!shown.question) send("follow");
  }

  function pane_drawn(name, head) {
    const button = find(`#tabs [data-tab=${name}]`);
    if (button) {
      button.dataset.count = find("[data-count]", head)?.dataset.count ?? "";
      button.classList.toggle("busy", !!find(".state.running", head));
    }
    find(`#${name}`).classList.toggle("is-earlier", !!shown.earlier);
    drawn_now();
  }

  // Earlier turns ---------------------------------------------------------------------------------------------------

  // Back from an earlier turn to the one that is running or was last.
  function present() {
    if (!shown.earlier) return;
    shown.earlier = "";
    panes.forEach((pane) => pane.draw());
  }

  // The frame -------------------------------------------------------------------------------------------------------

  const phone = () => innerWidth < 900;

  function tab(name) {
    find("#stage").dataset.tab = name;
    for (const button of all("#tabs [role=tab]")) {
      const is_chosen = button.dataset.tab === name;
      button.setAttribute("aria-selected", is_chosen);
      button.tabIndex = is_chosen ? 0 : -1;
    }
  }

  function sidebar(open) {
    const side = find(".sidebar");
    if (side && side.classList.contains("open") !== open) find(".toggle-button", side)?.click();
  }

  // Runs once, before the page is seen: → the conversation that the address names, and how far west the clock stands.
  // It is seen when the server's answer to that is drawn: who asked earlier would be nobody, and lose the conversation.
  async function ready() {
    find(".sidebar-parent")?.classList.remove("sidebar-parent"); // page.css says why
    if (phone()) sidebar(false);
    find("#unkept").hidden = storage.lasts;
    new ResizeObserver(composer_grew).observe(find("#compose"));
    await Promise.race([document.fonts.ready, new Promise((done) => setTimeout(done, 1500))]);
    return [addressed(), new Date().getTimezoneOffset()];
  }

  function composer_grew() {
    const box = find("#scroll"), question = find("#question");
    box.style.setProperty("--compose", `${find("#compose").offsetHeight}px`);
    question.style.setProperty("--grown", `${question.offsetHeight - 54}px`);
    if (find(".turn", box)) take_along(box);
  }

  // The stop button is there exactly while a turn runs; what was asked leaves the composer.
  function composer(typed) {
    const asked = find("#live .bubble")?.textContent.trim();
    const is_taken = shown.running && asked === (typed ?? "").trim();
    return { __type__: "update", submit_btn: shown.running ? false : "Send", stop_btn: shown.running ? "Stop" : false, ...(is_taken ? { value: "" } : {}) };
  }

  // Every character as it is: a text field would make line ends of its own, and exists only to be selected.
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
    find("#status").textContent = "Copied.";
    setTimeout(() => button.classList.remove("copied"), 1500);
  }

  const acts = {
    theme: () => localStorage.setItem("glassbox-theme", document.body.classList.toggle("dark") ? "dark" : "light"),
    menu: () => sidebar(true),
    tab: (button) => tab(button.dataset.tab),
    present,
    models,
    example: (button) => send("example", { question: button.dataset.question }),
    open: (button) => { const row = button.closest(".row").dataset; travel.chosen = row.conversation; send("open", row); },
    doubt: (button) => { button.closest(".row").classList.add("doubtful"); find(".sure button", button.parentNode).focus(); },
    keep: (button) => { const row = button.closest(".row"); row.classList.remove("doubtful"); find(".bin", row).focus(); },
    delete: (button) => send("delete", button.closest(".row").dataset),
    retry: (button) => send("retry", button.closest(".turn").dataset),
    "go-on": (button) => send("go_on", button.closest(".turn").dataset),
    edit: (button) => send("edit", button.closest(".turn").dataset),
    again: () => send("again"),
    cancel: () => send("cancel"),
    close: () => send("close"),
    copy: (button) => copy(JSON.parse(button.closest(".facts").dataset.answer), button), // the Markdown that was written
    "copy-code": (button) => copy(find("code", button.closest(".code")).textContent.replace(/\n$/, ""), button),
    "copy-question": (button) => copy(find(".bubble", button.closest(".asked")).textContent, button),
    like: rate,
    dislike: rate,
  };

  // To the list of models, which is outlined for a moment: a focus that a click moved is not drawn by itself.
  function models() {
    const list = find("#model");
    sidebar(true);
    find("input:checked", list)?.focus();
    list.scrollIntoView({ block: "nearest" });
    list.classList.add("called");
    setTimeout(() => list.classList.remove("called"), 2500);
  }

  function rate(button) {
    const is_on = button.getAttribute("aria-pressed") !== "true", turn = button.closest(".turn").dataset.turn;
    for (const each of all("[aria-pressed]", button.parentNode)) each.setAttribute("aria-pressed", is_on && each === button);
    send("rate", { turn, rating: is_on ? button.dataset.act : "" });
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#new-chat")) travel.chosen = "";
    const button = event.target.closest("[data-act]");
    if (button) acts[button.dataset.act]?.(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "model") send("choose", { label: event.target.value });
  });
  document.addEventListener("scroll", moved, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.getAttribute?.("role") !== "tab") return;
    const tabs = all("#tabs [role=tab]"), next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    tab(next.dataset.tab);
    next.focus();
  });

  // Times of what is running go on between two views: the turn says how long it had been going on (data-at, seconds), and
  // what counts says since when (data-began).
  const clock = { turn: "", at: "", since: 0 };

  function tick() {
    const article = find("#live article");
    if (!article) return;
    const { turn, at } = article.dataset, now = performance.now();
    if (clock.turn !== turn || clock.at !== at) Object.assign(clock, { turn, at, since: now });
    for (const time of all("[data-began]", article)) {
      const s = Math.max(0, +at + (now - clock.since) / 1000 - +time.dataset.began);
      time.textContent = time.closest(".waiting") ? (s < 1 ? "" : `${Math.floor(s)} s`) : s < 0.9995 ? `${(s * 1000).toFixed(0)} ms` : `${s.toFixed(1)} s`;
    }
  }
  setInterval(tick, 100);

  // Two blocks of code may begin alike: from the second on, the name of their button has a number.
  after.push(() => {
    const seen = new Map();
    for (const button of all("[data-act=copy-code]")) {
      const name = (button.dataset.name ??= button.getAttribute("aria-label")), count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const told = count > 1 ? `${name} (${count})` : name;
      if (button.getAttribute("aria-label") !== told) button.setAttribute("aria-label", told);
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.lang = "en";
    const theme = localStorage.getItem("glassbox-theme");
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  });

  // What a question is asked with at its end: the model that is ticked now, and the knobs as they stand now.
  function asked(given) {
    const [model, knobs] = given.splice(-2);
    return [...given, find("#model input:checked")?.value ?? model, glassbox.knobs ?? knobs];
  }

  // The same for a question that replaces nothing. Its follower is sent at once: it waits on the server for the turn, and
  // the first words need no second round trip. The question's number tells each of the other.
  function asked_anew(given) {
    const told = asked(given);
    if (shown.running || shown.question || find("#notice [data-act=cancel]")) return told;
    shown.question = `${Math.random()}`;
    setTimeout(send, 0, "follow", { question: shown.question });
    return [...told.slice(0, -1), { ...told.at(-1), question: shown.question }];
  }

  // A follower has ended. A turn that was drawn meanwhile and that it did not follow gets one now.
  function followed(given) {
    const had_question = shown.question;
    shown.question = "";
    if (had_question && shown.running) send("follow");
    return given;
  }

  // From `acts` on it is what the other scripts stand on.
  return { keyed, ready, composer, asked, asked_anew, followed, acts, draws, find, all, send, sync, after, calm, panes, present, shown, tab };
})();
