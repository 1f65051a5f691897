// Thumbs, and the form under an answer in which somebody says more. Only one is open; what was typed there stays while the
// answer is drawn anew, until it is saved or skipped. Python draws what was said. Uses page.js.
(() => {
  const { acts, after, all, calm, draws, element_of, find, send } = glassbox;
  let form = null, number = "";

  const turn_of = (element) => element.closest(".turn").dataset.turn;
  const slot_of = (turn) => find(`.turn[data-turn="${CSS.escape(turn)}"] .feedback`);
  const field = (name) => find(`[name=${name}]`, form);
  const say = (text) => { find("#status").textContent = text; };

  draws.feedback = () => ([of, turn, html] = []) => {
    const slot = turn && slot_of(turn);
    if (!slot) return;
    find(".remark", slot)?.remove();
    if (html) slot.prepend(element_of(html));
    if (of !== number || form?.ariaBusy !== "true") return;
    const had_focus = form.contains(document.activeElement);
    close();
    say(text_of("script.feedback_saved"));
    if (had_focus) find("button", slot)?.focus({ preventScroll: true });
  };

  function close() {
    form?.remove();
    form = null;
  }

  function open(turn, rating) {
    close();
    const slot = slot_of(turn), remark = find(".remark", slot);
    form = find("#say").content.firstElementChild.cloneNode(true);
    Object.assign(form.dataset, { turn, rating });
    if (remark) for (const name of ["comment", "corrected"]) field(name).value = JSON.parse(remark.dataset[name]);
    slot.append(form);
    form.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  }

  function rate(button) {
    const is_on = button.getAttribute("aria-pressed") !== "true", turn = turn_of(button), rating = is_on ? button.dataset.act : "";
    for (const each of all("[aria-pressed]", button.parentNode)) each.setAttribute("aria-pressed", is_on && each === button);
    for (const each of all("[data-act=in-there]", button.closest(".turn"))) each.setAttribute("aria-pressed", rating === "dislike");
    tell(button, { rating });
    if (is_on) { open(turn, rating); say(text_of("script.feedback_asked")); }
    else if (form?.dataset.turn === turn) close();
  }

  function tell(element, given) {
    const turn = turn_of(element);
    number = `${Math.random()}`;
    send("rate", { turn, number, place: slot_of(turn).dataset.place, ...given }, element);
  }

  function save() {
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const { rating } = form.dataset, corrected = rating === "dislike" ? { corrected: field("corrected").value } : {};
    tell(form, { rating, comment: field("comment").value, ...corrected });
  }

  function skip() {
    const slot = form.parentNode, rating = form.dataset.rating;
    close();
    (find(".remark button", slot) ?? find(`[data-act=${rating}]`, slot.closest(".turn"))).focus({ preventScroll: true });
  }

  Object.assign(acts, {
    like: rate,
    dislike: rate,
    // Says that a refusal is wrong: it is the dislike of the answer.
    "in-there": (button) => find(".facts [data-act=dislike]", button.closest(".turn")).click(),
    "edit-feedback": (button) => {
      const pressed = find(".facts [aria-pressed=true]:is([data-act=like], [data-act=dislike])", button.closest(".turn"));
      open(turn_of(button), pressed?.dataset.act ?? "dislike");
      field("comment").focus({ preventScroll: true });
    },
    "save-feedback": save,
    "skip-feedback": skip,
  });

  // Enter saves as it sends in the composer, Escape leaves; neither is then a shortcut of the page.
  document.addEventListener("keydown", (event) => {
    if (!form?.contains(event.target) || event.isComposing || !event.target.matches("textarea")) return;
    if (event.key === "Escape") { event.preventDefault(); skip(); }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(); }
  }, true);

  after.push(() => {
    if (!form) return;
    const slot = slot_of(form.dataset.turn);
    if (slot && form.parentNode !== slot) slot.append(form);
    if (find("#notice .notice")) form.ariaBusy = "false"; // it could not be saved
  });
})();
