// The scope of the next question: chips above the composer, and the list that "@" opens. Uses page.js.
(() => {
  const { acts, after, find, all, send } = glassbox;
  const MENTION = /(^|\s)@([^\s@]*)$/;
  const box = () => find("#question textarea"), list = () => find("#scope-list");
  const options = () => all("[role=option]:not([hidden])", list());

  function open_for(typed) {
    const wanted = typed.toLocaleLowerCase();
    for (const row of all("[role=option]", list())) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    list().hidden = !options().length;
    mark(0);
  }

  function mark(at) {
    const rows = options(), row = list().hidden ? null : rows[(at + rows.length) % rows.length];
    for (const each of all("[role=option]", list())) each.classList.toggle("at", each === row);
    for (const [name, value] of [["aria-controls", "scope-list"], ["aria-activedescendant", row?.id]])
      row ? box().setAttribute(name, value) : box().removeAttribute(name);
    row?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    if (!list() || list().hidden) return;
    list().hidden = true;
    mark(0);
  }

  const before = () => box().value.slice(0, box().selectionStart);

  // Chooses a row, and takes what was typed to find it out of the question.
  function choose(row) {
    const text = before(), found = MENTION.exec(text);
    if (found) {
      const start = text.length - found[2].length - 1;
      box().setRangeText("", start, text.length, "end");
      box().dispatchEvent(new Event("input", { bubbles: true }));
    }
    close();
    box().focus();
    send("scope_choose", { document: row.dataset.document ?? "", collection: row.dataset.collection ?? "" });
  }

  document.addEventListener("input", ({ target }) => {
    if (target !== box() || !list()) return;
    const found = MENTION.exec(before());
    found ? open_for(found[2]) : close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target !== box() || event.isComposing || !list() || list().hidden) return;
    const rows = options(), at = rows.findIndex((row) => row.classList.contains("at"));
    const does = {
      ArrowDown: () => mark(at + 1), ArrowUp: () => mark(at - 1), Escape: close,
      Enter: () => choose(rows[at]), Tab: () => choose(rows[at]),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    does();
  }, true);

  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest?.("#scope-list [role=option]");
    if (row) { event.preventDefault(); choose(row); }
    else if (!event.target.closest?.("#question, [data-act=scope-open]")) close();
  });

  // The browser keeps what each conversation asks; of an empty page it goes along with the first question.
  const KEPT = "glassbox-scopes", MOST = 50; // conversations
  let asked_for = null; // what the page was given to show when it asked to restore the scope
  let restored = null; // the last of what the page was given to show whose scope was restored
  const scopes = () => { try { return Object.entries(JSON.parse(localStorage.getItem(KEPT)) ?? {}); } catch { return []; } };

  function keep(conversation, chosen) {
    const before = scopes(), kept = before.filter(([id]) => id !== conversation && id !== "");
    if (chosen.collections.length + chosen.documents.length) kept.push([conversation, chosen]);
    if (JSON.stringify(kept) !== JSON.stringify(before)) localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(kept.slice(-MOST))));
  }

  after.push(() => {
    const drawn = find("#scope fieldset"), { conversation, shows } = find(".top")?.dataset ?? {};
    if (!drawn || !shows || conversation === "?") return;
    const chips = all(".chip", drawn), of = (kind) => chips.map((chip) => chip.dataset[kind]).filter(Boolean);
    if (restored === shows || drawn.dataset.restored === shows) return keep(conversation, { collections: of("collection"), documents: of("document") });
    restored = null;
    const [, kept] = scopes().find(([id]) => id === conversation) ?? [];
    if (!kept && !chips.length) restored = shows;
    else if (asked_for !== shows) send("scope_restore", { collections: [], documents: [], ...kept, shows: (asked_for = shows) });
  });

  Object.assign(acts, {
    "scope-open": () => {
      const gap = /\S$/.test(before()) ? " @" : "@";
      box().focus();
      box().setRangeText(gap, box().selectionStart, box().selectionEnd, "end");
      box().dispatchEvent(new Event("input", { bubbles: true }));
    },
    "scope-choose": (chip) => { send("scope_choose", { document: chip.dataset.document ?? "", collection: chip.dataset.collection ?? "" }); box().focus(); },
    "scope-clear": () => { send("scope_clear"); box().focus(); },
    "scope-only": (button) => {
      send("scope_only", { document: button.dataset.document ?? "", collection: button.dataset.collection ?? "" });
      button.closest("dialog")?.close();
      box().focus();
    },
  });
})();
