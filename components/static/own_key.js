// The visitor's own keys for models, by their scope: a provider, or one model at an address of the host. They stay in
// sessionStorage: it outlives a reload, ends with the tab, and no other tab reads it. Scripts of the page could read a
// variable just as well, so that a variable would protect no better. The field shows a typed key as dots and is emptied.
(() => {
  const { find, all, acts } = glassbox;
  const STORED = "glassbox-model-keys", HOSTS_SERVER = "server:";
  const row = () => find("#model label:has(input:checked)");
  const scope = () => row()?.dataset.key ?? "";

  function keys() {
    try { return JSON.parse(sessionStorage.getItem(STORED)) ?? {}; } catch { return {}; }
  }

  function keep(of, key) {
    const kept = keys();
    if (key) kept[of] = key; else delete kept[of];
    Object.keys(kept).length ? sessionStorage.setItem(STORED, JSON.stringify(kept)) : sessionStorage.removeItem(STORED);
    look();
  }

  // Shows the field for the chosen model, and marks the models that have a key of the visitor.
  function look() {
    const kept = keys(), own = find(".own-key"), of = scope();
    for (const label of all("#model label[data-key]")) {
      const note = find("em", label), has = label.dataset.key in kept;
      if (label.classList.contains("own") === has) continue;
      label.classList.toggle("own", has);
      label.dataset.note ??= note.textContent;
      note.textContent = has ? text_of("script.own_key_note") : label.dataset.note;
    }
    if (!own) return;
    const has = !!of && of in kept, input = find("input", own);
    if (own.dataset.of !== of) input.value = ""; // typed for another provider
    own.dataset.of = of;
    own.hidden = !of;
    find(".kept", own).hidden = !has;
    input.placeholder = has ? "••••••••" : "";
    find(".provider", own).hidden = of.startsWith(HOSTS_SERVER);
    find(".server", own).hidden = !of.startsWith(HOSTS_SERVER);
  }

  document.addEventListener("input", ({ target }) => { if (target.id === "model-key") keep(scope(), target.value.trim()); });
  document.addEventListener("focusout", ({ target }) => {
    if (target.id !== "model-key") return;
    target.value = "";
    setTimeout(look);
  });
  document.addEventListener("keydown", ({ target, key }) => { if (target.id === "model-key" && key === "Enter") target.blur(); });
  document.addEventListener("change", ({ target }) => { if (target.name === "model") look(); });
  acts["forget-key"] = () => {
    find("#model-key").value = "";
    keep(scope(), "");
    find("#status").textContent = text_of("script.own_key_forgotten");
    find("#model-key").focus();
  };
  glassbox.after.push(look);
  glassbox.after.push(() => {
    for (const link of all("#account a[data-leaves]")) link.target = window.top === window ? "_self" : "_blank";
  });
  glassbox.own_key = () => keys()[scope()];
})();
