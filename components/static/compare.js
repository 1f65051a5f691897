// The page of comparisons: its buttons and settings, the address of what is shown, and its citations. Uses page.js.
(() => {
  const { acts, after, all, find, send } = glassbox;
  const columns = () => all(".compare-column");
  const place_of = (element) => columns().indexOf(element.closest(".compare-column"));
  const sender = (name, given = () => ({})) => (element) => send(name, given(element), element);

  glassbox.compared = () => new URLSearchParams(location.search).get("c") ?? "";

  Object.assign(acts, {
    "compare-preset": sender("compare_preset", ({ dataset: { preset } }) => ({ preset })),
    "compare-add": sender("compare_add"),
    "compare-remove": sender("compare_remove", (button) => ({ column: place_of(button) })),
    "compare-edit": sender("compare_edit"),
    "compare-stop": sender("compare_stop"),
    "compare-vote": sender("compare_vote", ({ dataset: { vote } }) => ({ vote })),
    "compare-round": sender("compare_show_round", ({ dataset: { round } }) => ({ round })),
    "compare-default": sender("compare_make_default", (button) => {
      for (const each of all("[data-act=compare-default]")) each.setAttribute("aria-pressed", each === button);
      return { column: place_of(button) };
    }),
  });

  // Runs when the browser has stored the settings of a column.
  glassbox.made_default = () => { find("#status").textContent = text_of("script.made_default"); };

  // What opens a comparison from a list of conversations.
  const open = acts.open;
  acts.open = (button) => {
    const { kind, conversation } = button.closest(".row").dataset;
    if (kind !== "comparison") return open(button);
    location.href = `./compare?c=${encodeURIComponent(conversation)}`;
  };

  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("[data-switch=blind]")) send("compare_blind", { on: target.checked }, target);
    if (target.matches?.("[data-set]") && target.value) { send("compare_choose_set", { set: target.value }, target); target.value = ""; }
    const { knob } = target.dataset ?? {};
    if (!knob) return;
    const number = target.value === "" ? null : Number(target.value);
    const value = target.type === "checkbox" ? target.checked : target.type === "number" ? number : target.value || (target.matches("textarea") ? "" : null);
    send("compare_choose", { column: place_of(target), knob, value }, target);
  });

  // The address follows what is shown, and columns without anything take no room.
  after.push(() => {
    const bar = find(".compare-bar");
    if (!bar) return;
    const { conversation } = bar.dataset, address = new URL(location.href);
    if (conversation !== glassbox.compared()) {
      conversation ? address.searchParams.set("c", conversation) : address.searchParams.delete("c");
      history.replaceState(null, "", address);
    }
    for (const each of columns()) each.classList.toggle("empty", !find("article", each));
  });

  // A number shows its source in the same column; there are no panes beside.
  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.(".compared :is(.cite, .ours, .doubted)");
    if (!chip) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const row = find(`.strip [data-n="${CSS.escape(chip.dataset.n ?? "")}"]`, chip.closest(".compared"));
    if (!row) return;
    find("details", row).open = true;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest", behavior: glassbox.calm.matches ? "auto" : "smooth" });
    for (const each of all(".strip .lit")) each.classList.remove("lit");
    row.classList.add("lit");
  }, { capture: true });
})();
