// The pages beside the chat: when they are shown, and what their sidebar opens.
(() => {
  const { find, acts } = glassbox;
  const of_chat = { ...acts };
  const is_chat = () => find("#chat") !== null;

  acts.open = (button) => {
    if (is_chat()) return of_chat.open(button);
    location.href = `./?c=${encodeURIComponent(button.closest(".row").dataset.conversation)}`;
  };

  // Shows the page once its fonts are there, so that nothing moves later. Returns the clock's minutes west of UTC.
  glassbox.opened = async () => {
    glassbox.dress();
    find(".sidebar-parent")?.classList.remove("sidebar-parent"); // page.css says why
    if (innerWidth < 900 && find(".sidebar")?.classList.contains("open")) find(".sidebar .toggle-button")?.click();
    document.title = `${find("#page-title h1").textContent} · Glassbox`;
    await Promise.race([document.fonts.ready, new Promise((done) => setTimeout(done, 1500))]);
    document.body.classList.add("ready");
    return new Date().getTimezoneOffset();
  };
})();
