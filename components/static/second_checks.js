// What a model can be asked about the weak sentences of an answer, or has said: Python draws it once for each answer that is
// shown, and again while it is asked. It is put back when the answer is drawn anew. Uses page.js.
(() => {
  const { acts, after, all, draws, element_of, find, grafted, send, stage_of } = glassbox;

  const known = new Map(); // turn → its HTML
  const requested = new Set(); // turns that were asked for
  const followed = new Set(); // turns whose inquiry comes to this page
  const turn_of = (element) => element.closest(".turn").dataset.turn;

  draws.second_checks = () => (values = []) => {
    for (let at = 0; at < values.length; at += 2) known.set(values[at], values[at + 1]);
    put();
  };

  function put() {
    const slots = all(".turn .checks .second"), missing = [];
    for (const slot of slots) {
      const turn = turn_of(slot), html = known.get(turn);
      if (html === undefined) { if (!requested.has(turn)) missing.push(turn); continue; }
      if (slot.html !== html) draw(slot, html);
      const is_running = !!find("[data-follow]", slot);
      if (is_running && !followed.has(turn)) { followed.add(turn); send("second_check", { turn }, stage_of(slot).root); }
      if (!is_running) followed.delete(turn);
    }
    for (const turn of missing) requested.add(turn);
    if (missing.length) send("second_checks", { turns: missing }, stage_of(slots[0]).root);
  }

  // The button that was pressed keeps the focus, also as the one that stops.
  function draw(slot, html) {
    slot.html = html;
    const had_focus = slot.contains(document.activeElement), old = slot.firstElementChild, node = element_of(html);
    if (old && node) grafted(old, node); else slot.innerHTML = html;
    if (had_focus && !slot.contains(document.activeElement)) find("button", slot)?.focus({ preventScroll: true });
  }

  acts["second-check"] = (button) => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    followed.add(turn_of(button));
    send("second_check", { turn: turn_of(button), model: button.dataset.model }, stage_of(button).root);
  };

  after.push(put);
})();
