// A text that is longer than what is taken stays whole, and the page says so before anything is sent or cut.
(() => {
  const { find, all } = glassbox;
  const field = ({ dataset }) => find(`#${dataset.of} textarea`);
  // In code points, as the server counts; only what may be too long is counted at all.
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

  // The visitor's knobs with those that were just turned; instructions that are too long leave those from before. What is
  // remembered here counts: what Gradio holds of it comes a moment later, and two may be turned in one.
  glassbox.keep = (kept, turned) => {
    const limit = find("template.limit[data-of=instructions]"); // there from the first opening of its accordion
    glassbox.knobs ??= kept ?? {};
    if (!limit || !is_over(turned.instructions ?? "", +limit.dataset.limit)) glassbox.knobs = { ...glassbox.knobs, ...turned };
    return glassbox.knobs;
  };
})();
