// The prompt inspector: opens its drawer, changes its view, and copies what the server writes. Uses page.js and documents.js.
(() => {
  const { acts, all, copy, draws, find, send } = glassbox;
  const drawer = () => find("#inspector dialog");
  const PHONE_PX = 900;
  let asked = 0; // counts the requests, so that each answer differs from the one before
  let copying = null; // {number, button} of the copy that is under way

  draws.inspector = (element, name, label) => {
    const draw = draws.dialog(element, name, label), dialog = find("dialog", element), body = find(".dialog-body", dialog);
    let shown = "";
    dialog.classList.add("drawer");
    return (parts) => {
      draw(parts);
      dialog.classList.remove("waits");
      find(".views [aria-current]", dialog)?.scrollIntoView({ block: "nearest", inline: "center" });
      const { turn = "", view = "", first = "" } = find(".drawer-head", dialog)?.dataset ?? {};
      if (shown !== [turn, view, first].join()) body.scrollTop = 0;
      shown = [turn, view, first].join();
    };
  };

  // A whole document stands beside the chat, which can be used meanwhile.
  draws.whole = (element, name, label) => {
    const draw = draws.dialog(element, name, label), dialog = find("dialog", element);
    dialog.classList.add("drawer");
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      dialog.close();
    });
    return (parts) => {
      draw(parts);
      find("[data-here]", dialog)?.scrollIntoView({ block: "center" });
    };
  };

  acts["show-whole"] = (button) => {
    const dialog = find("#whole-document dialog"), { document: id, start, end, page } = button.dataset;
    const marks = all(".source", button.closest(".pane")).flatMap((card) => {
      const place = find(".around", card)?.dataset;
      return place?.document === id ? [{ number: card.dataset.n, start: place.start, end: place.end }] : [];
    });
    dialog.style.setProperty("--beside", `${find("#beside").offsetWidth}px`);
    if (!dialog.open) dialog.show();
    asked += 1;
    send("whole", { document: id, page, start, end, profile: button.closest(".source")?.dataset.profile ?? "", marks, number: String(asked) }, button);
  };

  // Puts the drawer over the panes beside the chat, and over no answer; they may change their width slowly.
  const place = () => drawer().style.setProperty("--beside", `${find("#beside").offsetWidth}px`);
  const widths = new ResizeObserver(place);

  // Asks for a view; what is shown of another turn is hidden until it comes.
  function open(event, given) {
    const dialog = drawer(), head = find(".drawer-head", dialog);
    asked += 1;
    place();
    widths.observe(find("#beside")); // a second time changes nothing
    dialog.classList.toggle("waits", !dialog.open || head?.dataset.turn !== given.turn);
    if (!dialog.open) dialog.showModal();
    send(event, { ...given, number: String(asked) });
  }

  Object.assign(acts, {
    inspect: (button) => open("inspect", { turn: button.closest(".turn").dataset.turn }),
    "inspect-view": (button) => {
      const { view, first } = button.dataset;
      open("inspect", { turn: find(".drawer-head", drawer()).dataset.turn, view, first });
    },
    preview: () => {
      if (innerWidth < PHONE_PX) find(".sidebar.open .toggle-button")?.click();
      open("preview", {});
    },
    "copy-exchange": (button) => {
      const { turn, view } = find(".drawer-head", drawer()).dataset;
      asked += 1;
      copying = { number: String(asked), button };
      send("copy_exchange", { turn, view, form: button.dataset.form, number: copying.number });
    },
  });

  draws.copied = () => ([number, text] = []) => {
    if (!copying || number !== copying.number) return;
    copy(text, copying.button);
    copying = null;
  };
})();
