// The page of ratings: which are shown, what of one changes, and files of all. Python draws the cards. Uses page.js.
(() => {
  const { acts, all, download, draws, find, send } = glassbox;
  const chosen = { rating: "", tag: "" };

  function filter() {
    for (const card of all(".rated")) {
      const { rating, tags } = card.dataset;
      card.hidden = (chosen.rating && rating !== chosen.rating) || (chosen.tag && !tags.split(",").includes(chosen.tag));
    }
    for (const button of all("[data-act=ratings-filter]"))
      button.setAttribute("aria-pressed", chosen[button.dataset.kind] === button.dataset.value);
  }

  draws.ratings = (element, ...how) => {
    const draw = draws.list(element, ...how);
    return (parts) => { draw(parts); filter(); };
  };
  draws.file = () => ([number, name, content] = []) => {
    if (number) download(content, name, name.endsWith(".csv") ? "text/csv;charset=utf-8" : "application/x-ndjson");
  };

  const rating_of = (button) => button.closest(".rated");
  const said = (card) => Object.fromEntries(all("[name]", card).map((each) => [each.name, each.value]));

  Object.assign(acts, {
    "ratings-filter": ({ dataset: { kind, value } }) => { chosen[kind] = kind === "tag" && chosen.tag === value ? "" : value; filter(); },
    "ratings-save": (button) => { const card = rating_of(button); find("details", card).open = false; send("ratings_save", { turn: card.dataset.turn, ...said(card) }, button); },
    "ratings-remove": (button) => send("ratings_save", { turn: rating_of(button).dataset.turn, rating: 0 }, button),
    "ratings-file": (button) => send("ratings_file", { as: button.dataset.as, number: `${Math.random()}` }, button),
    "ratings-use": (button) => send("ratings_use", { hash: button.dataset.hash }, button),
  });
})();
