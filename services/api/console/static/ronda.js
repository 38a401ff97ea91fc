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
  // What a replaced part held for its reader: answers, an open list, the focus
  function carry(old, fresh) {
    for (const slot of old.querySelectorAll("[data-slot]")) {
      const place = fresh.querySelector(`[data-slot="${slot.dataset.slot}"]`);
      if (place && !place.childElementCount) place.replaceWith(slot);
    }
    if (old.querySelector("details[open]")) fresh.querySelector("details")?.setAttribute("open", "");
    const active = document.activeElement;
    if (active === old) return () => fresh.focus({ preventScroll: true });
    if (!old.contains(active)) return null;
    const same = [...fresh.querySelectorAll("[data-act], [data-copy], summary")]
      .find((each) => each.dataset.act === active.dataset.act && each.dataset.copy === active.dataset.copy && each.tagName === active.tagName);
    return () => (same || fresh).focus({ preventScroll: true });
  }

  function patch(old, fresh) {
    const oldList = old.matches("[data-keyed]") ? old : old.querySelector("[data-keyed]");
    const freshList = fresh.matches("[data-keyed]") ? fresh : fresh.querySelector("[data-keyed]");
    if (!oldList || !freshList) {
      if (old.dataset.v !== fresh.dataset.v || !fresh.dataset.v) old.replaceWith(fresh);
      return;
    }
    const kept = new Map([...oldList.children].map((child) => [child.dataset.key, child]));
    const mark = oldList.hasAttribute("data-fresh") && !kept.has("none");
    const focusing = [];
    const wanted = [...freshList.children].map((child) => {
      const known = kept.get(child.dataset.key);
      if (known && known.dataset.v === child.dataset.v) return known;
      if (known) focusing.push(carry(known, child));
      if (!known && mark) child.classList.add("fresh");
      return document.adoptNode(child);
    });
    for (const child of [...oldList.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, place) => {
      if (oldList.children[place] !== child) oldList.insertBefore(child, oldList.children[place] || null);
    });
    for (const focus of focusing) focus?.();
  }

  function patchAll(page) {
    for (const fresh of page.querySelectorAll("[data-fragment]")) {
      const old = document.querySelector(`[data-fragment="${fresh.dataset.fragment}"]`);
      if (!old) { location.reload(); return; }
      patch(old, fresh);
    }
    tick(document);
    const title = page.querySelector("title");
    if (title) document.title = title.textContent;
  }

  async function refresh(names) {
    const answer = await fetch(`${body.dataset.fragments}?names=${names.join(",")}`, { headers: { Accept: "text/html" } });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    patchAll(page);
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

  // A row of tabs that is wider than the screen shows the chosen one
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

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

  // Forms that act in place: the answer is the changed parts, or what goes into the card's slot
  const said = document.querySelector("[data-said]");
  function say(text) { if (said) { said.textContent = ""; requestAnimationFrame(() => { said.textContent = text; }); } }
  async function inPlace(form, button) {
    const words = button.innerHTML;
    const slot = form.closest("[data-pick]")?.querySelector("[data-slot]");
    button.disabled = true;
    button.textContent = form.dataset.busy;
    try {
      const fields = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "X-Fragment": "1" } });
      if (answer.redirected || answer.status === 401) return location.reload();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-slot]");
      if (page.querySelector("[data-fragment]")) patchAll(page);
      else if (fresh && slot) slot.replaceChildren(...fresh.childNodes);
      else throw new Error(answer.status);
    } catch {
      const sorry = document.createElement("p");
      sorry.className = "trouble";
      sorry.textContent = body.dataset.failed;
      slot?.replaceChildren(sorry);
    } finally {
      button.disabled = false;
      button.innerHTML = words;
    }
  }

  // Keys; the list is in the dialog that ? opens
  const list = document.querySelector("[data-keys]");
  const lister = document.querySelector("[data-keys-open]");
  if (lister && list?.showModal) {
    lister.hidden = false;
    lister.addEventListener("click", () => list.showModal());
  }
  function move(by) {
    const picks = [...document.querySelectorAll("[data-pick]")].filter((each) => each.offsetParent);
    const here = picks.indexOf(document.activeElement?.closest("[data-pick]"));
    const next = picks[here < 0 ? (by > 0 ? 0 : picks.length - 1) : Math.min(Math.max(here + by, 0), picks.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
  function press(selector) { document.activeElement?.closest("[data-pick]")?.querySelector(selector)?.click(); }
  const goes = { b: "/console", n: "/console/hosts", c: "/console/customers", s: "/console/settings" };
  const does = {
    "/": () => document.querySelector("[data-search]")?.select(),
    "?": () => lister?.click(),
    w: () => wall && toggleWall(),
    j: () => move(1),
    k: () => move(-1),
    a: () => press("[data-act=ack]"),
    p: () => press("[data-act=ping]"),
    c: () => press("[data-copy]"),
  };
  let before = "";
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || list?.open) return;
    if (event.key === "Escape" && event.target.matches("[data-search]")) event.target.blur();
    if (event.target.closest("input, select, textarea")) return;
    const go = before === "g" && goes[event.key];
    before = event.key;
    if (go) { location.href = go; return; }
    if (!does[event.key]) return;
    event.preventDefault();
    does[event.key]();
  });

  // Copy with one click, said aloud; a plain-text address of Ronda has no clipboard of its own, so the old way remains
  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const active = document.activeElement;
    await copy(button.dataset.copy);
    active?.focus({ preventScroll: true });
    say(body.dataset.copied.replace("{text}", button.dataset.copy));
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.target.dataset.busy || !button) return;
    if (event.target.matches("[data-inplace]")) {
      event.preventDefault();
      inPlace(event.target, button);
      return;
    }
    button.textContent = event.target.dataset.busy;
    setTimeout(() => { button.disabled = true; });
  });
})();
