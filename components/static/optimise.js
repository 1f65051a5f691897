// The page of optimisations: what is chosen in its form, and its buttons. Uses page.js.
(() => {
  const { acts, after, find, send } = glassbox;
  const chosen = () => Object.fromEntries(new FormData(find(".optimise-form")));
  const with_id = (name) => (button) => send(name, { id: button.dataset.id }, find("#optimise-run"));
  let estimated = null;

  Object.assign(acts, {
    "optimise-start": (button) => {
      button.disabled = true;
      send("optimise_start", chosen(), button);
    },
    "optimise-stop": with_id("optimise_stop"),
    "optimise-resume": with_id("optimise_resume"),
    "optimise-use": with_id("optimise_use"),
    "optimise-undo": with_id("optimise_undo"),
    "optimise-new": with_id("optimise_new"),
  });

  document.addEventListener("change", ({ target }) => {
    if (target.closest?.(".optimise-form")) send("optimise_estimate", chosen(), target);
  });
  document.addEventListener("submit", (event) => { if (event.target.matches(".optimise-form")) event.preventDefault(); });

  // A new form is estimated at once; after a refusal it can be started again.
  after.push(() => {
    const form = find(".optimise-form");
    if (find("#optimise-note [role=alert]")) find("[data-act=optimise-start]")?.removeAttribute("disabled");
    if (form && form !== estimated && find("[data-act=optimise-start]:not([disabled])")) {
      estimated = form;
      send("optimise_estimate", chosen(), form);
    }
  });
})();
