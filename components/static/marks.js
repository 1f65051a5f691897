// The marks of sentences: the switch that hides all of them, what they mean, and our own numbers, which can be undone one by
// one. The browser remembers both. Uses page.js.
(() => {
  const { acts, after, all, find } = glassbox;
  const SWITCH = "glassbox-marks", UNDONE = "glassbox-undone", UNDONE_MOST = 500;

  // The switch ----------------------------------------------------------------------------------------------------

  let are_on = localStorage.getItem(SWITCH) !== "off", is_applied = false;

  function apply() {
    for (const stage of all(".stage")) stage.classList.toggle("marked", are_on);
    for (const input of all("[data-switch=marks]")) input.checked = are_on;
    name_chips();
  }

  // A screen reader is told of no verdict that nobody sees.
  function name_chips() {
    for (const chip of all(".cite[data-verdict]")) {
      const said = `, ${chip.dataset.verdict}`, label = chip.getAttribute("aria-label"), is_told = label.endsWith(said);
      if (is_told !== are_on) chip.setAttribute("aria-label", are_on ? label + said : label.slice(0, -said.length));
    }
  }

  function turn(on) {
    are_on = on;
    localStorage.setItem(SWITCH, on ? "on" : "off");
    if (!on && glassbox.beside.is_open()) glassbox.citing.unpin();
    apply();
    find("#status").textContent = text_of(on ? "script.marks_shown" : "script.marks_hidden");
  }

  after.push(() => {
    if (!is_applied && find(".stage") && find("[data-switch=marks]")) { is_applied = true; apply(); }
    else if (!are_on) name_chips();
  });

  // Our numbers ---------------------------------------------------------------------------------------------------

  const sheet = new CSSStyleSheet(); // hides what was undone, however often an answer is drawn anew
  document.adoptedStyleSheets.push(sheet);
  const key_of = (turn, check) => JSON.stringify([turn, check]);
  let undone = new Set(stored());

  function stored() {
    try { return JSON.parse(localStorage.getItem(UNDONE) ?? "[]").filter((key) => JSON.parse(key).length === 2); } catch { return []; }
  }

  function hide() {
    sheet.replaceSync([...undone].map((key) => {
      const [turn, check] = JSON.parse(key).map((each) => CSS.escape(each)), place = `[data-turn="${turn}"] [data-check="${check}"]`;
      return `${place}.ours, ${place} .undo { display: none !important; } ${place} .redo { display: inline !important; }`;
    }).join(""));
  }

  function repair(button) {
    const key = key_of(button.closest("[data-turn]").dataset.turn, button.closest("[data-check]").dataset.check);
    const is_undone = !undone.delete(key);
    if (is_undone) undone.add(key);
    undone = new Set([...undone].slice(-UNDONE_MOST));
    localStorage.setItem(UNDONE, JSON.stringify([...undone]));
    hide();
    find("#status").textContent = text_of(is_undone ? "script.repair_undone" : "script.repair_redone");
  }

  hide();

  Object.assign(acts, { marks: () => find("#marks dialog").showModal(), "toggle-marks": () => turn(!are_on), repair });
  document.addEventListener("change", ({ target }) => { if (target.matches?.("[data-switch=marks]")) turn(target.checked); });
  document.addEventListener("click", ({ target }) => { if (target.matches?.("#marks dialog")) target.close(); });
})();
