// The page of evaluations: what its buttons send, which rows are open and which are shown. Python draws the rest.
(() => {
  const { acts, after, all, draws, find, send } = glassbox;
  const open = new Set();
  let filter = "failing";

  const value = (name) => find(`.evaluate-setting [name=${name}]`).value;

  acts.evaluate = () => send("evaluate_run", Object.fromEntries(
    ["questions", "model", "program", "passages_wanted", "mode"].map((name) => [name, value(name)]),
  ));
  acts["bring-set"] = async () => {
    const file = find(".evaluate-bring input").files[0], pasted = find(".evaluate-bring textarea").value;
    const text = pasted.trim() || !file ? pasted : await file.text();
    send("evaluate_bring", { title: file && !pasted.trim() ? file.name.replace(/\.\w+$/, "") : "", text });
  };
  acts["stop-evaluation"] = () => send("evaluate_stop");
  acts["resume-evaluation"] = () => send("evaluate_resume");
  acts["export-evaluation"] = () => send("evaluate_export");
  acts["open-evaluated"] = (button) => send("evaluate_turn", { turn: button.dataset.turn });
  acts["filter-rows"] = (button) => { filter = button.dataset.filter; drawn(); };
  acts["open-row"] = (button) => {
    const { row } = button.dataset;
    open.has(row) ? open.delete(row) : open.add(row);
    drawn();
  };

  document.addEventListener("change", ({ target }) => {
    if (target.dataset.change !== "evaluation") return;
    open.clear();
    const choice = (name) => find(`.evaluate-runs [name=${name}]`).value;
    send("evaluate_open", { id: choice("shown"), against: choice("against") });
  });

  // A file to keep, or a turn to open in the chat.
  draws.evaluated = () => ([what, given] = []) => {
    if (what === "turn") location.href = `./?c=${encodeURIComponent(given)}`;
    if (what !== "file") return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([given], { type: "text/csv" }));
    link.download = "evaluation.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  function drawn() {
    for (const button of all("[data-filter]")) button.setAttribute("aria-pressed", button.dataset.filter === filter);
    const is_shown = (row) => filter === "failing" || filter === "all" || row.dataset.kinds.split(" ").includes(filter);
    for (const row of all(".evaluate-table tr[data-kinds]")) row.hidden = !is_shown(row);
    for (const detail of all("tr[data-detail]")) detail.hidden ||= !open.has(detail.dataset.detail);
    for (const button of all("[data-row]")) button.setAttribute("aria-expanded", open.has(button.dataset.row));
  }
  after.push(drawn);
})();
