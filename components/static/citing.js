// Citations: a click on a chip pins its card and marks the cited sentence, beside which a checked sentence is shown; a
// pointer over a chip previews it. Python writes on each chip what it cites (`data-s`: the numbers of the card's sentences,
// `data-quote`) and which sentence was checked (`data-check`). Uses page.js and side_by_side.js.
(() => {
  const { acts, after, all, beside, calm, find, present, send, stage_of, tab } = glassbox;
  const CHIPS = ".cite, .ours, .passage-chip"; // in a text, ours beside them, and in the list of what a step found
  const SHOW_MS = 120, HIDE_MS = 250; // a passing pointer opens nothing, and has time to reach the preview

  // The panes of one stage all show the same turn; its id stands in the head of the sources.
  const sources_of = (stage) => stage.panes.get("sources")?.block ?? null;
  const pane_turn = (stage) => { const block = sources_of(stage); return block ? find("[data-turn]", block)?.dataset.turn : undefined; };
  const turn_of = (chip) => chip.closest(".turn")?.dataset.turn ?? pane_turn(stage_of(chip));
  const card_of = (stage, n) => { const block = sources_of(stage); return block ? find(`.source[data-n="${n}"]`, block) : null; };

  // A chip's element is drawn anew while the answer grows: → its stage, turn and text, and its place among the text's chips.
  function place_of(chip) {
    const host = chip.closest(".turn") ?? chip.closest(".body"), stage = stage_of(chip);
    const where = host.matches(".turn") ? "turn" : [...stage.panes].find(([, { block }]) => block.contains(host))?.[0];
    return { stage, turn: turn_of(chip), where, at: all(CHIPS, host).indexOf(chip) };
  }

  function chip_at({ stage, turn, where, at }) {
    const host = where === "turn" ? find(`.turn[data-turn="${turn}"]`, stage.root) : pane_turn(stage) === turn && find(".body", stage.panes.get(where).block);
    return host ? all(CHIPS, host)[at] : undefined;
  }

  // The pin ---------------------------------------------------------------------------------------------------------

  let pin = null; // {stage, turn, where, at, n, sentences}
  let is_coming = false; // its cards are still to be drawn

  const of_pin = (n, turn) => !!pin && n === pin.n && turn === pin.turn;
  const set = (element, name, value) => value ? element.setAttribute(name, value) : element.removeAttribute(name);

  function light() {
    const chosen = pin && chip_at(pin);
    if (chosen) pin.sentences = chosen.dataset.s ?? "";
    for (const chip of all(CHIPS)) {
      chip.classList.toggle("lit", of_pin(chip.dataset.n, turn_of(chip)));
      set(chip, "aria-current", chip === chosen && "true");
    }
    const [first, last] = pin?.sentences ? pin.sentences.split("-").map(Number) : [1, 0]; // none, where no sentence matched
    for (const card of all(".source")) {
      const is_lit = of_pin(card.dataset.n, pane_turn(stage_of(card)));
      card.classList.toggle("lit", is_lit);
      set(card, "aria-current", is_lit && "true");
      for (const piece of all("[data-s]", card)) {
        const is_cited = is_lit && +piece.dataset.s >= first && +piece.dataset.s <= last;
        piece.classList.toggle("cited", is_cited);
        set(piece, "role", is_cited && "mark");
      }
    }
  }

  function choose(chip) {
    const place = place_of(chip);
    if (pin && pin.turn === place.turn && pin.where === place.where && pin.at === place.at) return unpin();
    hide();
    const { n, s, check } = chip.dataset;
    pin = { ...place, n, sentences: s ?? "", is_compared: !!check && beside.is_on(chip) };
    is_coming = true;
    pin.is_compared ? beside.open({ stage: pin.stage, turn: pin.turn, check, passage: n }) : beside.close();
    bring();
  }

  // Shows what is pinned; the chip of an earlier turn first brings that turn's reasoning and sources.
  function bring() {
    const { stage } = pin, sources = stage.panes.get("sources");
    if (pin.turn === pane_turn(stage)) return arrive();
    light();
    if (!sources) return;
    if (sources.now[0]?.includes(`data-turn="${pin.turn}"`)) return present(stage);
    if (sources.earlier[0] !== pin.turn) return send("show_earlier", { turn: pin.turn }, stage.root);
    stage.earlier = pin.turn;
    stage.panes.forEach((pane) => pane.draw());
  }

  const phone = () => innerWidth < 900;

  // Runs when the cards are drawn: shows the pinned one and the sentence in it. Beside a comparison, which has the focus and
  // says what there is to say, it only shows them.
  function arrive() {
    light();
    is_coming = false;
    if (!pin.is_compared) return go_to_card();
    if (!phone()) unfold();
  }

  // Unfolds and scrolls to the pinned card; returns it.
  function unfold() {
    const card = card_of(pin.stage, pin.n), sentence = find(".cited", card ?? undefined);
    if (!card) return null;
    for (let fold = (sentence ?? card).closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    scroll(card, all(".cited", card));
    return card;
  }

  function go_to_card() {
    if (!card_of(pin.stage, pin.n)) return;
    tab("sources", pin.stage);
    unfold().focus({ preventScroll: true });
    const quote = chip_at(pin)?.dataset.quote;
    find("#status").textContent = text_of(quote ? "script.source_cited" : "script.source_shown", { number: pin.n, quote });
  }

  // Goes on to the card from a comparison, which no chip may have opened.
  acts["show-source"] = (button) => {
    const turn = button.closest(".turn").dataset.turn, { n } = button.dataset;
    if (pin && pin.n === n && pin.turn === turn && !is_coming) return go_to_card();
    pin = { stage: stage_of(button), turn, where: "turn", at: -1, n, sentences: "", is_compared: false };
    is_coming = true;
    bring();
  };

  // Scrolls as little as needed to show the card or, where the card is taller than the pane, the sentence.
  function scroll(card, pieces) {
    const box = card.closest(".body"), sight = box.getBoundingClientRect(), ROOM = 12;
    const rects = (card.offsetHeight + 2 * ROOM > box.clientHeight && pieces.length ? pieces : [card]).map((each) => each.getBoundingClientRect());
    const above = rects[0].top - ROOM - sight.top, below = rects.at(-1).bottom + ROOM - sight.bottom;
    const by = above < 0 ? above : below > 0 ? Math.min(above, below) : 0;
    if (by) box.scrollBy({ top: by, behavior: calm.matches ? "auto" : "smooth" });
  }

  function unpin() {
    const was_there = beside.has_focus() || document.activeElement?.closest?.(".source.lit"), back = beside.close();
    const chip = (pin && chip_at(pin)) ?? back;
    pin = null;
    is_coming = false;
    light();
    if (was_there && chip?.checkVisibility?.()) chip.focus({ preventScroll: true });
    hide();
  }

  after.push(() => {
    if (preview.chip && !preview.chip.isConnected) follow();
    if (!pin) return;
    const is_shown = pin.turn === pane_turn(pin.stage);
    if (is_coming && is_shown && find(".source", sources_of(pin.stage))) return arrive();
    const is_there = is_coming || is_shown;
    is_there ? light() : unpin(); // another question, or another conversation
  });

  // The preview -----------------------------------------------------------------------------------------------------

  const preview = { box: null, chip: null, place: null, timer: 0 };

  const made = (name, props, ...inside) => {
    const element = Object.assign(document.createElement(name), props);
    element.append(...inside);
    return element;
  };

  function verdict_of({ dataset: { v, verdict, why } }) {
    const line = made("p", { className: "verdict", dir: "auto" }, made("i", { ariaHidden: "true" }), made("b", { textContent: verdict }), made("span", { textContent: why }));
    line.dataset.v = v;
    return line;
  }

  function show(chip) {
    clearTimeout(preview.timer);
    const { n, title, path, quote, start } = chip.dataset;
    if (!title && !quote && !start) return;
    preview.box ??= (find("main") ?? document.body).appendChild(made("div", { id: "preview", role: "tooltip" }));
    const passage = quote ? made("mark", { textContent: quote, dir: "auto" }) : made("span", { textContent: `${start ?? ""} …`, dir: "auto" });
    preview.box.replaceChildren(
      made("p", { className: "from" }, made("span", { className: "number", textContent: n }), made("b", { textContent: title ?? "", dir: "auto" }), made("span", { textContent: path ?? "", dir: "auto" })),
      made("p", { className: "said-there" }, passage),
      ...(chip.dataset.v ? [verdict_of(chip)] : []),
      ...(quote || chip.dataset.v || chip.matches(".passage-chip") ? [] : [made("p", { className: "unsure", textContent: text_of("script.no_sentence_matches") })]),
    );
    Object.assign(preview, { chip, place: place_of(chip) });
    chip.setAttribute("aria-describedby", "preview");
    preview.box.classList.add("open");
    put();
    const { stage, turn } = preview.place;
    for (const card of all(".source", stage.root)) card.classList.toggle("pointed", card.dataset.n === n && pane_turn(stage) === turn);
  }

  // Puts the preview below the chip, or above it where there is no room; never outside the window.
  function put() {
    const { box, chip } = preview, at = chip.getClientRects()[0], GAP = 8, EDGE = 12;
    if (!at || at.bottom < 0 || at.top > innerHeight) return hide();
    const below = at.bottom + GAP + box.offsetHeight <= innerHeight - EDGE;
    const top = below ? at.bottom + GAP : Math.max(EDGE, at.top - GAP - box.offsetHeight);
    const left = Math.max(EDGE, Math.min(at.left - 24, innerWidth - EDGE - box.offsetWidth));
    box.style.translate = `${left}px ${top}px`; // by a translation, which moves nothing else
  }

  function follow() {
    const chip = chip_at(preview.place);
    if (!chip) return hide();
    preview.chip = chip;
    chip.setAttribute("aria-describedby", "preview");
    put();
  }

  function hide() {
    clearTimeout(preview.timer);
    if (!preview.chip) return;
    preview.chip.removeAttribute("aria-describedby");
    preview.chip = null;
    preview.box.classList.remove("open");
    for (const card of all(".source.pointed")) card.classList.remove("pointed");
  }

  function soon(what, ms) {
    clearTimeout(preview.timer);
    preview.timer = setTimeout(what, ms);
  }

  const chip_under = (event) => event.target.closest?.(".cite[data-n], .ours, .passage-chip");
  const is_preview = (event) => !!preview.box && preview.box.contains(event.target);

  document.addEventListener("click", (event) => {
    const chip = chip_under(event);
    if (!chip) return;
    event.preventDefault();
    choose(chip);
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const chip = chip_under(event);
    if (chip && chip !== preview.chip) soon(() => chip.isConnected && show(chip), preview.chip ? 0 : SHOW_MS);
    else if (chip || is_preview(event)) clearTimeout(preview.timer);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "mouse" || !(chip_under(event) || is_preview(event))) return;
    soon(hide, HIDE_MS);
  });
  document.addEventListener("focusin", (event) => {
    const chip = chip_under(event);
    if (chip?.matches(":focus-visible")) show(chip);
  });
  document.addEventListener("focusout", (event) => { if (chip_under(event)) hide(); });
  document.addEventListener("scroll", () => { if (preview.chip) put(); }, { capture: true, passive: true });
  addEventListener("resize", hide);
  glassbox.citing = { choose, unpin };

  // Escape closes one thing at a time: the preview, then the pin, then what it closes elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || find("dialog[open]")) return;
    if (!preview.chip && !pin && !beside.is_open()) return;
    event.stopImmediatePropagation();
    preview.chip ? hide() : unpin();
  }, { capture: true });
})();
