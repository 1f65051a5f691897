// Replaces the browser's storage by a memory of the page where the browser stores nothing (site data blocked, no room left):
// everything works as long as the page is open. `lasts`: whether the visitor is recognised afterwards.
window.storage = (() => {
  const VISITOR = "glassbox-visitor", PROBE = "glassbox-probe";

  class Memory {
    #kept = new Map();
    get length() { return this.#kept.size; }
    key(at) { return [...this.#kept.keys()][at] ?? null; }
    getItem(key) { return this.#kept.get(String(key)) ?? null; }
    setItem(key, value) { this.#kept.set(String(key), String(value)); }
    removeItem(key) { this.#kept.delete(String(key)); }
    clear() { this.#kept.clear(); }
  }

  function keeps(name) {
    try {
      window[name].setItem(PROBE, "1");
      window[name].removeItem(PROBE);
      return true;
    } catch { return false; }
  }

  // Copies what can still be read.
  function replace(name) {
    const memory = new Memory();
    try { for (const key of Object.keys(window[name])) memory.setItem(key, window[name].getItem(key)); } catch { /* nothing can */ }
    try { Object.defineProperty(window, name, { configurable: true, value: memory }); } catch { /* then it stays as it is */ }
    return memory.getItem(VISITOR) !== null;
  }

  const [lasts] = ["localStorage", "sessionStorage"].map((name) => keeps(name) || replace(name));
  return { lasts };
})();
