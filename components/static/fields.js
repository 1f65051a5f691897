// Says that a text is too long before it is sent; the text stays whole.
(() => {
  const { find, all } = glassbox;
  const field = ({ dataset }) => find(`#${dataset.of} textarea`);
  // Counts code points, as the server does, and only where the text may be too long.
  const is_over = (text, limit) => text.length > limit && [...text.trim()].length > limit;

  const note_of = (name) => find(`.too-long[data-of=${name}]`);

  function look() {
    for (const limit of all("template.limit")) {
      const { of } = limit.dataset, is_too_long = is_over(field(limit)?.value ?? "", +limit.dataset.limit);
      if (!!note_of(of) === is_too_long) continue;
      is_too_long ? limit.after(limit.content.cloneNode(true)) : note_of(of).remove();
      field(limit)?.setAttribute("aria-invalid", is_too_long);
    }
  }

  function blocked(event) {
    if (!note_of("question") || !event.target.closest?.("#question")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    note_of("question").remove(); // so that it is read out again
    setTimeout(look);
  }

  document.addEventListener("input", look, true);
  for (const type of ["keydown", "keypress"])
    document.addEventListener(type, (event) => { if (event.key === "Enter" && !event.shiftKey) { look(); blocked(event); } }, true);
  document.addEventListener("click", (event) => { if (event.target.closest?.("#question .submit-button")) { look(); blocked(event); } }, true);
  setInterval(look, 500); // a text may also be put there by the server

  // Adds what was just chosen to the visitor's preferences; instructions that are too long leave those from before. What
  // is stored here counts: what Gradio holds of it comes a moment later, and two choices may be made in one.
  glassbox.prefer = (stored, chosen) => {
    const limit = find("template.limit[data-of=instructions]"); // there from the first opening of its accordion
    glassbox.preferences ??= stored ?? {};
    if (!limit || !is_over(chosen.instructions ?? "", +limit.dataset.limit))
      glassbox.preferences = { ...glassbox.preferences, ...chosen };
    return glassbox.preferences;
  };

  const sets = (button) => JSON.parse(button?.dataset.sets ?? "{}");
  const profile_of = (name) => all("#profile input").find((each) => each.value === name);

  // Chooses a profile at once, without a round trip: a question may follow at any moment. What it sets, and what the one
  // before set, is no choice of the visitor any more.
  glassbox.choose_profile = (button) => {
    const before = profile_of(glassbox.preferences?.profile ?? "");
    glassbox.preferences = { ...glassbox.preferences, profile: button.value };
    for (const name of [...Object.keys(sets(before)), ...Object.keys(sets(button))]) delete glassbox.preferences[name];
    const model = all("#model input").find((each) => each.value === button.dataset.model && !each.disabled);
    if (model) model.checked = true;
    glassbox.send("choose_profile");
  };

  // Returns a text as it is stored: undefined where it is that of the profile, or the default without one, so that it
  // follows when that changes; empty where the default was chosen instead of the profile's.
  glassbox.own_text = (text, name, usual) => {
    const own = sets(find("#profile input:checked"))[name] ?? usual;
    return text.trim() === own.trim() ? undefined : text === usual ? "" : text;
  };
})();
