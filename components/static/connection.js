// The connection to the server: when it is lost, the page says so, tries again after growing pauses, and reloads. The
// address names the conversation, the server has its turn, and the typed text is stored meanwhile.
window.connection = (() => {
  const FIRST_PAUSE_S = 1, LONGEST_PAUSE_S = 15, ANSWER_S = 5, LOOK_EVERY_S = 10, TYPED = "glassbox-typed";
  const get = window.fetch.bind(window);
  const field = () => document.querySelector("#question textarea");
  let is_lost = false, is_leaving = false, tries = 0, timer;

  const ask = (path) => get(new URL(path, document.baseURI), { cache: "no-store", signal: AbortSignal.timeout(ANSWER_S * 1000) });
  const is_up = () => ask("health").then((answer) => answer.ok, () => false);

  // A restarted server has another id; a server that answers slowly is still the same.
  async function is_there() {
    try {
      const { app_id } = await (await ask("gradio_api/app_id")).json();
      return app_id === window.gradio_config.app_id;
    } catch (error) { return error.name === "TimeoutError"; }
  }

  async function look() {
    if (document.visibilityState === "visible" && !is_lost && !(await is_there())) lost();
  }

  function lost() {
    if (is_lost || is_leaving) return;
    is_lost = true;
    document.body.classList.add("lost");
    pause();
  }

  function pause() {
    const seconds = Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** tries++) * (0.5 + Math.random() / 2); // not all pages at once
    const note = document.querySelector("#lost").content.cloneNode(true);
    note.querySelector("p").textContent = text_of("script.connection_lost", { seconds: Math.ceil(seconds) });
    document.querySelector("#connection").replaceChildren(note);
    clearTimeout(timer);
    timer = setTimeout(again, seconds * 1000);
  }

  async function again() {
    clearTimeout(timer);
    if (!(await is_up())) return pause();
    sessionStorage.setItem(TYPED, field()?.value ?? "");
    location.reload();
  }

  // Once, when the page is there again.
  function restore() {
    const typed = sessionStorage.getItem(TYPED);
    sessionStorage.removeItem(TYPED);
    if (!typed || !field()) return;
    field().value = typed;
    field().dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Gradio notices a loss while it waits for an answer, then asks for the server's id every two seconds and reloads the
  // page at the first answer. This script does that itself, so the request is refused.
  window.fetch = async (input, init) => {
    if (String(input?.url ?? input).endsWith("/app_id")) { lost(); return Response.error(); }
    return get(input, init);
  };

  addEventListener("pagehide", () => { is_leaving = true; });
  addEventListener("pageshow", () => { is_leaving = false; });
  addEventListener("offline", look);
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_EVERY_S * 1000);
  addEventListener("online", () => { if (is_lost) again(); });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-act=reconnect]")) again(); });

  return { restore };
})();
