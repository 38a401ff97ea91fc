// The page works without this file; with it, it keeps itself up to date. Only what changed is replaced.
"use strict";
(() => {
  const body = document.body;
  const patterns = JSON.parse(body.dataset.relative || "{}");

  // Relative times
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  function relative(kind, from) {
    const passed = Math.max(0, Math.floor((Date.now() - from) / 1000));
    const [unit, size] = units.find(([, size]) => passed >= size) || units[3];
    return patterns[kind][unit].replace("{n}", Math.floor(passed / size));
  }
  function tick(root) {
    for (const time of root.querySelectorAll("time[data-rel]")) {
      const text = relative(time.dataset.rel, Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  }
  tick(document);
  setInterval(() => { if (!document.hidden) tick(document); }, 1000);

  // Fragments: children with a key are kept while their fingerprint (data-v) is the same
  function patch(old, fresh) {
    const oldList = old.matches("[data-keyed]") ? old : old.querySelector("[data-keyed]");
    const freshList = fresh.matches("[data-keyed]") ? fresh : fresh.querySelector("[data-keyed]");
    if (!oldList || !freshList) {
      if (old.dataset.v !== fresh.dataset.v || !fresh.dataset.v) old.replaceWith(fresh);
      return;
    }
    const kept = new Map([...oldList.children].map((child) => [child.dataset.key, child]));
    const mark = oldList.hasAttribute("data-fresh") && !kept.has("none");
    const wanted = [...freshList.children].map((child) => {
      const known = kept.get(child.dataset.key);
      if (known && known.dataset.v === child.dataset.v) return known;
      if (!known && mark) child.classList.add("fresh");
      return document.adoptNode(child);
    });
    for (const child of [...oldList.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, place) => {
      if (oldList.children[place] !== child) oldList.insertBefore(child, oldList.children[place] || null);
    });
  }

  async function refresh(names) {
    const answer = await fetch(`${body.dataset.fragments}?names=${names.join(",")}`, { headers: { Accept: "text/html" } });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-fragment]")) {
      const old = document.querySelector(`[data-fragment="${fresh.dataset.fragment}"]`);
      if (old) { patch(old, fresh); } else { return location.reload(); }
    }
    tick(document);
    const title = page.querySelector("title");
    if (title) document.title = title.textContent;
  }

  // Live: changes are gathered while a refresh is on its way, so there is never more than one
  const waiting = new Set();
  let busy = false;
  async function flush() {
    if (busy || !waiting.size) return;
    busy = true;
    const names = [...waiting];
    waiting.clear();
    try { await refresh(names); } catch { names.forEach((name) => waiting.add(name)); setTimeout(flush, 2000); }
    busy = false;
    if (waiting.size) setTimeout(flush, 50);
  }
  function live() {
    const state = document.querySelector("[data-live-state]");
    const source = new EventSource(body.dataset.live);
    source.addEventListener("changed", (event) => {
      JSON.parse(event.data).forEach((name) => waiting.add(name));
      flush();
    });
    source.onopen = () => { state.dataset.liveState = "on"; };
    source.onerror = () => {
      state.dataset.liveState = "off";
      if (source.readyState === EventSource.CLOSED) setTimeout(live, 3000);
    };
    addEventListener("pagehide", () => source.close(), { once: true });
  }
  if (body.dataset.live && document.querySelector("[data-fragment=sites]")) live();

  // Wall mode
  const wall = document.querySelector("[data-wall]");
  function toggleWall() {
    const on = document.documentElement.classList.toggle("wall");
    const address = new URL(location);
    if (on) address.searchParams.set("wall", "1"); else address.searchParams.delete("wall");
    history.replaceState(null, "", address);
  }
  if (wall) {
    wall.hidden = false;
    wall.addEventListener("click", toggleWall);
    if (new URLSearchParams(location.search).has("wall")) document.documentElement.classList.add("wall");
  }

  // Keys: w wall, g b board, g c customers, / search
  let before = "";
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "w" && wall) toggleWall();
    if (before === "g" && event.key === "b") location.href = "/console";
    if (before === "g" && event.key === "c") location.href = "/console/customers";
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
    before = event.key;
  });

  // Copy with one click; say that a form is on its way
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.target.dataset.busy || !button) return;
    button.textContent = event.target.dataset.busy;
    setTimeout(() => { button.disabled = true; });
  });
})();
