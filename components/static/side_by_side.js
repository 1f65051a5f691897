// A sentence of an answer beside the passage that it was compared with. A mark of it opens the card, and so do the keys that
// lead through the doubtful sentences; Python draws it. The text makes room for it. Uses page.js; citing.js pins the source.
(() => {
  const { acts, after, all, calm, draws, element_of, find, grafted, send, stage_of, stay, tab } = glassbox;
  const DOUBTFUL = ["weak", "wrong_source", "not_found", "uncited"];
  const GAP_PX = 8, ROOM_PX = 12;

  // {stage, turn, check, passage} of the sentence that is asked for; with host, card and room once the card has come.
  let shown = null;
  let asked = 0; // counts the requests: an answer that is late is of no use

  const article_of = ({ stage, turn }) => find(`.turn[data-turn="${CSS.escape(turn)}"]`, stage.root);
  const marks_of = (article, check) => all(`:is(.cite, .ours, .doubted)[data-check="${CSS.escape(check)}"]`, article);
  const is_on = (element) => !!element.closest(".marked");
  const stage_for = (element) => stage_of(element.closest(".stage") ? element : find(".stage"));
  const is_seen = (element) => element.checkVisibility();

  function open(wanted) {
    close();
    shown = wanted;
    asked += 1;
    const { turn, check, passage } = wanted;
    send("compare", { turn, check, passage, number: String(asked) }, wanted.stage.root);
    light();
  }

  draws.side_by_side = () => ([number, html] = []) => {
    if (!shown || number !== String(asked)) return;
    if (!html) {
      find("#status").textContent = text_of("script.not_compared");
      return glassbox.citing.unpin();
    }
    if (shown.card) return draw_again(html);
    const host = Object.assign(document.createElement("div"), { className: "beside-host", innerHTML: html });
    const room = Object.assign(document.createElement("span"), { className: "beside-room", ariaHidden: "true" });
    Object.assign(shown, { host, room, card: host.firstElementChild });
    sizes.observe(shown.card);
    put();
    tab("chat", shown.stage);
    reveal();
    shown.card.focus({ preventScroll: true });
    follow();
  };

  // What was said or asked about the sentence changes a part of its card; the focus stays in it.
  function draw_again(html) {
    const had_focus = has_focus();
    grafted(shown.card, element_of(html));
    put();
    if (had_focus && !shown.host.contains(document.activeElement)) shown.card.focus({ preventScroll: true });
    follow();
  }

  // What a model is asked meanwhile, as before the page was loaded again, is shown as it comes.
  function follow() {
    const is_running = !!find("[data-follow]", shown.card);
    if (is_running && !shown.follows) ask("ask_what_it_stands_on");
    shown.follows = is_running;
  }

  function ask(name, given = {}) {
    const { stage, turn, check, passage } = shown;
    send(name, { turn, check, passage, number: String(asked), ...given }, stage.root);
  }

  // Puts the card below its sentence, and makes the room for it there; both are put back when the answer is drawn anew.
  function put() {
    if (!shown?.card) return;
    const { host, card, room } = shown, article = article_of(shown);
    if (!article) return glassbox.citing.unpin();
    if (!article.contains(room)) make_room(article, room);
    if (host.parentNode !== article) {
      let block = room; // the card follows it: so it does for the keyboard
      while (block.parentNode !== article) block = block.parentNode;
      block.after(host);
      if (has_focus()) shown.focused.focus({ preventScroll: true });
    }
    room.style.height = `${card.offsetHeight + 2 * GAP_PX}px`;
    card.style.top = `${room.getBoundingClientRect().top - host.getBoundingClientRect().top + GAP_PX}px`;
    join(find(".both", card));
    light();
  }

  // Joins what differs by lines between the columns, where these stand beside each other.
  function join(both) {
    const [here, there] = both.children, at = both.getBoundingClientRect(), x = there.offsetLeft, REACH_PX = 17;
    const middle = (element) => { const { top, height } = element.getBoundingClientRect(); return top + height / 2 - at.top; };
    const curves = x < 2 * REACH_PX ? [] : all("strong[data-pair]", here).flatMap((one) => {
      const other = find(`strong[data-pair="${one.dataset.pair}"]`, there);
      return other ? [`M${x - REACH_PX} ${middle(one)}C${x + REACH_PX} ${middle(one)} ${x - REACH_PX} ${middle(other)} ${x + REACH_PX} ${middle(other)}`] : [];
    });
    const lines = find("svg", both) ?? both.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    lines.setAttribute("aria-hidden", "true");
    lines.innerHTML = `<path d="${curves.join("")}"/>`;
  }

  function make_room(article, room) {
    const last = marks_of(article, shown.check).at(-1), table = last?.closest(".table");
    if (table) return table.after(room);
    if (!last) return find(".checks", article)?.before(room) ?? article.append(room);
    const behind = last.nextSibling; // the full stop of a chip's sentence stays with it
    const signs = behind?.nodeType === Node.TEXT_NODE ? behind.data.match(/^[\u2060\u202f]*[^\w\s]*/)[0].length : 0;
    if (signs && signs < behind.length) behind.splitText(signs);
    (signs ? behind : last).after(room);
  }

  // Scrolls as little as needed to show the sentence and the card; the sentence's beginning where there is no room for both.
  function reveal() {
    const article = article_of(shown), box = article?.closest("#scroll");
    if (!box) return;
    const sight = box.getBoundingClientRect(), first = marks_of(article, shown.check).find(is_seen) ?? shown.card;
    const top = first.getBoundingClientRect().top - ROOM_PX - sight.top;
    const below = shown.card.getBoundingClientRect().bottom + ROOM_PX - sight.bottom;
    const by = top < 0 ? top : below > 0 ? Math.min(top, below) : 0;
    stay(box);
    if (by) box.scrollBy({ top: by, behavior: calm.matches ? "auto" : "smooth" });
  }

  function light() {
    const article = shown && article_of(shown), lit = article ? marks_of(article, shown.check) : [];
    for (const each of all(".doubted.open")) if (!lit.includes(each)) each.classList.remove("open");
    for (const each of lit) if (each.matches(".doubted")) each.classList.add("open");
  }

  // Returns where the focus goes back to.
  function close() {
    if (!shown) return null;
    const { host, room, card } = shown, article = article_of(shown);
    const back = article && [...marks_of(article, shown.check).filter((each) => each.matches("a")), ...all(".checks .through", article)].find(is_seen);
    const around = room?.parentNode;
    shown = null;
    host?.remove();
    room?.remove();
    around?.normalize();
    if (card) sizes.unobserve(card);
    light();
    return back;
  }

  // Whether the focus is in the card, or was there last and went nowhere else: a card that is not displayed loses it.
  const has_focus = () => !!shown?.focused && (document.activeElement === document.body || shown.focused === document.activeElement);

  document.addEventListener("focusin", ({ target }) => { if (shown) shown.focused = shown.host?.contains(target) ? target : null; });
  const sizes = new ResizeObserver(put);
  addEventListener("resize", put);
  after.push(put);

  // The doubtful sentences ----------------------------------------------------------------------------------------

  // All of a stage, in the order in which they are read: of an answer that has ended those that are listed under it.
  function doubtful(stage) {
    return all(".turn", stage.root).flatMap((article) => {
      const rows = all(".checks [data-check]", article), marks = all(":is(.cite, .ours, .doubted)[data-check]", article);
      const found = rows.length ? rows : marks.filter(({ dataset }) => DOUBTFUL.includes(dataset.v));
      return [...new Set(found.map(({ dataset }) => dataset.check))].map((check) => ({ stage, article, turn: article.dataset.turn, check }));
    });
  }

  const anchor_of = ({ article, check }) => marks_of(article, check).find(is_seen) ?? find(".checks", article) ?? article;

  // Goes to the next doubtful sentence, or with -1 to the one before; from where somebody reads, if none is open.
  function step(by, stage) {
    if (!is_on(find(".turn", stage.root) ?? stage.root)) { find("#status").textContent = text_of("script.marks_hidden"); return; }
    const among = doubtful(stage);
    if (!among.length) { find("#status").textContent = text_of("script.nothing_doubtful"); return; }
    const at = among.findIndex(({ turn, check }) => turn === shown?.turn && check === shown?.check);
    if (at >= 0) return go(among[(at + by + among.length) % among.length]);
    const sight = find("#scroll", stage.root).getBoundingClientRect();
    const from_here = by > 0
      ? among.find((each) => anchor_of(each).getBoundingClientRect().top >= sight.top)
      : among.findLast((each) => anchor_of(each).getBoundingClientRect().bottom <= sight.bottom);
    go(from_here ?? among.at(by > 0 ? 0 : -1));
  }

  // Opens a sentence as a click on its chip does: on the one of the passage that the verdict is about.
  function go({ stage, article, turn, check }) {
    if (shown?.card && turn === shown.turn && check === shown.check) { reveal(); return shown.card.focus({ preventScroll: true }); }
    const chips = marks_of(article, check).filter((each) => each.matches("a") && is_seen(each));
    const chip = chips.findLast(({ dataset }) => dataset.n === dataset.of) ?? chips.at(-1);
    if (chip) return glassbox.citing.choose(chip);
    glassbox.citing.unpin();
    open({ stage, turn, check });
  }

  function go_to(element) {
    const article = element.closest(".turn"), stage = stage_of(element);
    go({ stage, article, turn: article.dataset.turn, check: element.closest("[data-check]").dataset.check });
  }

  Object.assign(acts, {
    "close-beside": () => glassbox.citing.unpin(),
    "next-doubtful": (button) => step(1, shown?.stage ?? stage_for(button)),
    "previous-doubtful": (button) => step(-1, shown?.stage ?? stage_for(button)),
    // Below an answer: the next one of that answer.
    "through-doubtful": (button) => {
      const article = button.closest(".turn"), stage = stage_of(button), of_answer = doubtful(stage).filter((each) => each.article === article);
      shown?.turn === article.dataset.turn ? step(1, stage) : go(of_answer[0]);
    },
    compare: go_to,
    report: (button) => {
      button.ariaBusy = "true";
      ask("report", { is_wrong: button.getAttribute("aria-pressed") !== "true" });
    },
    "stands-on": (button) => {
      if (button.ariaBusy === "true") return;
      button.ariaBusy = "true";
      shown.follows = true;
      ask("ask_what_it_stands_on");
    },
    "stop-inquiry": (button) => send("stop_inquiry", { turn: button.closest(".turn").dataset.turn }, stage_of(button).root),
  });

  document.addEventListener("click", ({ target }) => {
    const sentence = target.closest?.(".doubted");
    if (sentence && is_on(sentence) && !target.closest("a") && getSelection().isCollapsed) go_to(sentence);
  });

  // A place that is pointed at shows its counterpart.
  for (const [type, is_over] of [["pointerover", true], ["pointerout", false]])
    document.addEventListener(type, ({ target }) => {
      const place = target.closest?.(".beside [data-pair]");
      for (const each of place ? all(`[data-pair="${place.dataset.pair}"]`, place.closest(".beside")) : []) each.classList.toggle("on", is_over);
    });

  glassbox.beside = { open, close, has_focus, is_on, is_open: () => !!shown };
})();
