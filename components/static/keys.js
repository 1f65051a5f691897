// Escape and the single-key shortcuts. `shortcuts.py` lists them with the action of each; this script listens to the keys.
// Those of one character can be switched off, for people who use speech input or hit keys by accident.
(() => {
  const { acts, find, all } = glassbox;
  const SWITCH = "glassbox-keys";
  const list = () => find("#shortcuts dialog");
  const are_on = () => localStorage.getItem(SWITCH) !== "off";
  const last = (act) => all(`#thread [data-act=${act}]`).at(-1);
  const question = () => find("#question textarea").focus();

  Object.assign(acts, {
    shortcuts: () => { find("#shortcuts input").checked = are_on(); list().showModal(); },
    "focus-question": question,
    "new-chat": () => { find("#new-chat").click(); question(); },
    "edit-last": () => last("edit")?.click(),
    "copy-last": () => last("copy")?.click(),
  });

  // Escape ends one thing: a dialog closes by itself, else the editing ends, else the answer stops.
  function escape() {
    if (find("dialog[open], :popover-open")) return;
    const editing = find("#notice [data-act=cancel]");
    if (editing) return acts.cancel(editing);
    find("#question .stop-button")?.click();
  }

  const types_into = (target) => target.closest?.("textarea, select, [contenteditable]:not([contenteditable=false]), input:not([type=radio], [type=checkbox], [type=range])");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return event.target.role === "combobox" ? undefined : escape(); // there it closes the list
    if (!are_on() || types_into(event.target) || find("dialog[open], :popover-open")) return;
    const row = all("#shortcuts [data-does]").find(({ dataset }) => dataset.on === event.key);
    if (!row) return;
    event.preventDefault();
    acts[row.dataset.does](row);
  });

  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("#shortcuts input")) localStorage.setItem(SWITCH, target.checked ? "on" : "off");
  });
  document.addEventListener("click", ({ target }) => { if (target === list()) target.close(); });
})();
