// The chat page: a list of conversations and the phone of the chosen one, kept live by one stream of changes.
import { marked } from "./marks.js";

const $ = (id) => document.getElementById(id);
const threads = new Map();
const bubbles = new Map();
const seen = new Map(Object.entries(JSON.parse(sessionStorage.getItem("seen") || "{}")));
let current = "";
let answering = "";
let pressed = new Map();

const make = (tag, name = "", ...children) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
};
const hue = (text) => [...String(text)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 360, 7);
const initials = (name) => name.split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w)).slice(0, 2).map((w) => [...w][0]).join("").toUpperCase();
const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
const exact = (at) => new Date(at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium", hour12: false });
const day = (at) => {
  const date = new Date(at * 1000), today = new Date();
  if (date.toDateString() === today.toDateString()) return "Today";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
};

export function notice(words, bad = false) {
  document.querySelector(".notice")?.remove();
  const box = make("div", bad ? "notice bad" : "notice", words);
  box.setAttribute("role", "status");
  document.body.append(box);
  setTimeout(() => box.remove(), 4000);
}

async function post(path, body) {
  const answer = await fetch(`/lab/api/chats/${encodeURIComponent(current)}/${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const result = await answer.json();
  if (!answer.ok) notice(result.error || `The lab answered ${answer.status}.`, true);
  return answer.ok ? result : null;
}

// ---- the list

const SECTIONS = [
  ["Telegram groups", (t) => t.channel === "telegram" && t.kind !== "private"],
  ["Telegram", (t) => t.channel === "telegram" && t.kind === "private"],
  ["WhatsApp, Cloud API", (t) => t.kind === "whatsapp"],
  ["WhatsApp, gateway", (t) => t.kind === "gateway"],
];

function preview(thread) {
  const last = thread.last;
  if (!last) return thread.flags.state === "stranger" ? "Start not pressed" : "No messages";
  const words = (last.markup === "whatsapp" ? last.text.replace(/```|[*_~](?=\S)|(?<=\S)[*_~]/g, "") : last.text) || (last.photo ? "Photo" : last.file_name);
  const author = thread.kind === "group" || thread.kind === "supergroup" ? `${last.author}: ` : last.mine ? "You: " : "";
  return author + words.replace(/\s+/g, " ").slice(0, 120);
}

function drawList() {
  const wanted = $("find").value.toLowerCase();
  const all = [...threads.values()].filter((t) => `${t.title} ${t.subtitle} ${t.id}`.toLowerCase().includes(wanted));
  const rows = $("rows");
  const place = rows.scrollTop;
  const focused = document.activeElement?.dataset?.thread;
  rows.replaceChildren();
  for (const [name, belongs] of SECTIONS) {
    const mine = all.filter(belongs).sort((a, b) => (b.last?.at || 0) - (a.last?.at || 0) || a.title.localeCompare(b.title));
    if (mine.length) rows.append(make("h2", "", name), ...mine.map(listRow));
  }
  rows.scrollTop = place;
  if (focused) rows.querySelector(`[data-thread="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  $("count").textContent = `${threads.size} conversations`;
}

function listRow(thread) {
  const row = make("button", "row");
  row.dataset.thread = thread.id;
  row.setAttribute("aria-current", String(thread.id === current));
  const face = make("span", "avatar", initials(thread.title));
  face.style.setProperty("--hue", hue(thread.title));
  const title = make("span", "title", thread.title);
  const time = make("time", "", thread.last ? clock(thread.last.at) : "");
  row.append(face, title, time, make("span", "last", preview(thread)));
  const fresh = thread.seq > (Number(seen.get(thread.id)) || 0) && thread.last && !thread.last.mine ? unread(thread) : 0;
  row.append(fresh && thread.id !== current ? make("span", "new", fresh > 99 ? "99+" : String(fresh)) : make("span"));
  row.onclick = () => open(thread.id);
  return row;
}

function unread(thread) {
  const known = bubbles.get(thread.id);
  const after = Number(seen.get(thread.id)) || 0;
  if (!known) return 0;
  return [...known.values()].filter((b) => b.seq > after && b.from_bot && !b.deleted && !b.edited_at).length;
}

// ---- the phone

async function open(id, keepAddress = false) {
  current = id;
  answering = "";
  pressed = new Map();
  if (!keepAddress) history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  const answer = await fetch(`/lab/api/chats/${encodeURIComponent(id)}/messages`);
  if (!answer.ok) { current = ""; return; }
  const body = await answer.json();
  bubbles.set(id, new Map(body.messages.sort((a, b) => a.at - b.at).map((b) => [b.id, b])));
  markSeen(id, body.seq);
  $("none").hidden = true;
  $("phone").hidden = false;
  $("desk").classList.add("open");
  document.body.classList.add("chatting");
  drawHead();
  drawThread();
  drawList();
  if (matchMedia("(hover: hover)").matches) $("text").focus();
}

function markSeen(id, seq) {
  seen.set(id, seq);
  sessionStorage.setItem("seen", JSON.stringify(Object.fromEntries(seen)));
}

function drawHead() {
  const thread = threads.get(current);
  if (!thread) return;
  $("phone").dataset.channel = thread.channel;
  const group = thread.kind === "group" || thread.kind === "supergroup";
  const shown = group ? thread.title : thread.flags.bot || "Bot";
  $("title").textContent = shown;
  $("face").textContent = initials(shown);
  $("face").style.setProperty("--hue", hue(shown));
  const [words, bad] = standing(thread, group);
  $("subtitle").textContent = words;
  $("subtitle").classList.toggle("bad", bad);
  $("as").hidden = !group;
  const chosen = $("person").value;
  $("person").replaceChildren(...thread.members.map((m) => new Option(m.name, m.id)));
  if (thread.members.some((m) => String(m.id) === chosen)) $("person").value = chosen;
  drawDeeds(thread, group);
}

function standing(thread, group) {
  const state = thread.flags.state;
  if (thread.flags.migrated_to) return [`upgraded to ${thread.flags.migrated_to}`, true];
  if (state === "blocked") return ["bot blocked by this person", true];
  if (state === "kicked" || state === "left") return [`bot was ${state === "left" ? "gone" : "kicked"}`, true];
  if (thread.kind === "whatsapp") {
    const left = (thread.flags.window_until || 0) - Date.now() / 1000;
    if (state === "offline") return [`${thread.title} · phone is off`, true];
    return [left > 0 ? `${thread.title} · window open ${Math.ceil(left / 3600)} h` : `${thread.title} · 24 h window closed`, false];
  }
  if (group) return [thread.subtitle + (state === "administrator" ? " · bot is admin" : ""), false];
  return [`phone of ${thread.title}`, false];
}

function drawDeeds(thread, group) {
  const state = thread.flags.state;
  const deeds = [];
  const set = (to) => () => post("state", { state: to });
  if (thread.channel === "telegram") {
    if (group) {
      deeds.push(state === "kicked" ? ["Take the bot back", set("member")] : ["Kick the bot", set("kicked")]);
      deeds.push(state === "administrator" ? ["Make the bot a plain member", set("member")] : ["Make the bot an admin", set("administrator")]);
      if (thread.kind === "group" && !thread.flags.migrated_to) deeds.push(["Upgrade to a supergroup", () => post("migrate", {})]);
    } else {
      deeds.push(["Press Start", () => post("messages", { text: "/start" })]);
      deeds.push(state === "blocked" ? ["Unblock the bot", set("member")] : ["Block the bot", set("blocked")]);
    }
  } else if (thread.kind === "whatsapp") {
    deeds.push(thread.flags.blocked ? ["Unblock the number", set("member")] : ["Block the number", set("blocked")]);
    deeds.push(state === "offline" ? ["Switch the phone on", set("member")] : ["Switch the phone off", set("offline")]);
    deeds.push(["Let the 24 h window pass", set("closed")]);
  }
  $("menu").hidden = !deeds.length;
  $("deeds").replaceChildren(...deeds.map(([words, act]) => {
    const button = make("button", "", words);
    button.type = "button";
    button.onclick = () => { $("menu").open = false; act(); };
    return button;
  }));
}

const atEnd = () => $("thread").scrollHeight - $("thread").scrollTop - $("thread").clientHeight < 80;
let stuck = true;
const toEnd = () => { stuck = true; $("thread").scrollTop = $("thread").scrollHeight; $("below").hidden = true; };

function drawThread() {
  const known = bubbles.get(current) || new Map();
  const nodes = [];
  let today = "";
  for (const bubble of known.values()) {
    const date = day(bubble.at);
    if (date !== today) nodes.push(make("div", "chip", date));
    today = date;
    nodes.push(said(bubble));
  }
  $("thread").replaceChildren(...nodes);
  toEnd();
}

function said(bubble) {
  if (bubble.service) {
    const chip = make("div", "chip", bubble.text);
    chip.dataset.id = bubble.id;
    return chip;
  }
  const thread = threads.get(current);
  const group = thread?.kind === "group" || thread?.kind === "supergroup";
  const mine = bubble.mine || (group && !bubble.from_bot && bubble.author === $("person").selectedOptions[0]?.text);
  const box = make("div", `said${mine ? " mine" : ""}${bubble.deleted ? " gone" : ""}`);
  box.dataset.id = bubble.id;
  const body = make("div", "bubble");
  if (bubble.deleted) body.append("Message deleted");
  else fillBubble(body, bubble, group && !mine);
  body.append(metaOf(bubble));
  box.append(body);
  if (!bubble.deleted) {
    const answer = make("button", "answer", "Reply");
    answer.onclick = () => replyTo(bubble);
    body.ondblclick = () => { getSelection()?.removeAllRanges(); replyTo(bubble); };
    box.append(answer);
  }
  if (bubble.buttons.length && !bubble.deleted) box.append(keysOf(bubble));
  return box;
}

function fillBubble(body, bubble, withAuthor) {
  if (withAuthor) {
    const author = make("div", "author", bubble.author);
    author.style.setProperty("--hue", hue(bubble.author));
    if (bubble.topic) author.append(make("span", "topic", `in ${bubble.topic}`));
    body.append(author);
  }
  if (bubble.reply_to) body.append(quoteOf(bubble.reply_to));
  if (bubble.photo) {
    const image = new Image();
    image.src = `/lab/api/files/${encodeURIComponent(bubble.photo)}`;
    image.alt = bubble.text || "Photo";
    image.onload = () => { if (stuck) toEnd(); };
    image.onclick = () => window.open(image.src);
    body.append(image);
  }
  if (bubble.file_name) body.append(make("div", "file", `▤ ${bubble.file_name}`));
  if (bubble.header) body.append(make("div", "head", bubble.header));
  body.append(marked(bubble));
  if (bubble.footer) body.append(make("div", "foot", bubble.footer));
}

function quoteOf(id) {
  const original = bubbles.get(current)?.get(id);
  const quote = make("button", "quote", make("b", "", original?.author || "Message"), make("span", "", original?.text || (original?.photo ? "Photo" : "not on this phone")));
  quote.onclick = () => {
    const target = $("thread").querySelector(`[data-id="${CSS.escape(id)}"]`);
    target?.scrollIntoView({ block: "center", behavior: "smooth" });
    target?.classList.add("flash");
    setTimeout(() => target?.classList.remove("flash"), 1200);
  };
  return quote;
}

const TICKS = { accepted: "·", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "failed" };

function metaOf(bubble) {
  const meta = make("span", "meta");
  meta.title = exact(bubble.at);
  if (bubble.silent) meta.append("silent ");
  if (bubble.edited_at && !bubble.deleted) {
    const edited = make("button", "", "edited");
    edited.title = `${bubble.revisions.length} earlier text${bubble.revisions.length === 1 ? "" : "s"}`;
    edited.onclick = () => toggleHistory(meta.parentElement, bubble);
    meta.append(edited, " ");
  }
  meta.append(clock(bubble.at));
  if (TICKS[bubble.status]) {
    const tick = make("span", bubble.status, ` ${TICKS[bubble.status]}`);
    tick.title = `${bubble.status}, as the sender sees it`;
    meta.append(tick);
  }
  return meta;
}

function toggleHistory(body, bubble) {
  const open = body.querySelector(".history");
  if (open) open.remove();
  else if (bubble.revisions.length) body.append(make("div", "history", ...bubble.revisions.map((t) => make("s", "", t))));
  else body.append(make("div", "history", "Only its buttons changed."));
}

function keysOf(bubble) {
  const box = make("div", "keys");
  const rows = new Map();
  for (const key of bubble.buttons) {
    if (!rows.has(key.row)) rows.set(key.row, make("div"));
    rows.get(key.row).append(keyOf(bubble, key));
  }
  box.append(...rows.values());
  return box;
}

function keyOf(bubble, key) {
  const button = make(key.kind === "url" ? "a" : "button", key.style || "", key.text);
  if (key.kind === "url") Object.assign(button, { href: key.value, target: "_blank", rel: "noreferrer" });
  else button.onclick = () => pressKey(bubble, key, button);
  if (pressed.get(bubble.id) === key.value) button.classList.add("waits");
  return button;
}

async function pressKey(bubble, key, button) {
  if (key.kind === "copy") { await navigator.clipboard?.writeText(key.value); notice("Copied"); return; }
  if (key.kind === "text") { await post("messages", { text: key.value, as: $("person").value }); return; }
  button.classList.add("waits");
  if (key.kind === "callback") pressed.set(bubble.id, key.value);
  const done = await post("press", { message: bubble.id, value: key.value, as: $("person").value });
  if (!done || key.kind !== "callback") button.classList.remove("waits");
}

// ---- writing

function replyTo(bubble) {
  answering = bubble ? bubble.id : "";
  $("replying").hidden = !bubble;
  if (bubble) {
    $("replying").firstElementChild.textContent = `${bubble.author}: ${bubble.text || "Photo"}`;
    $("text").focus();
  }
}

function grow() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 130)}px`;
  $("send").disabled = !box.value.trim();
  drawHints();
}

function drawHints() {
  const typed = $("text").value;
  const commands = threads.get(current)?.flags.commands || [];
  const known = new Map(commands.map((c) => [c.command, c]));
  const fitting = /^\/\w*$/.test(typed) ? [...known.values()].filter((c) => c.command.startsWith(typed.slice(1))) : [];
  $("hints").hidden = !fitting.length;
  $("hints").replaceChildren(...fitting.map((c) => {
    const row = make("button", "", make("b", "", `/${c.command}`), make("span", "", c.description));
    row.type = "button";
    row.onclick = () => { $("text").value = `/${c.command} `; grow(); $("text").focus(); };
    return row;
  }));
}

async function send(text) {
  const reply = answering;
  replyTo(null);
  return post("messages", { text, as: $("as").hidden ? "" : $("person").value, reply_to: reply });
}

$("compose").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  grow();
  if (!(await send(text))) { $("text").value = text; grow(); }
};
$("text").oninput = grow;
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("compose").requestSubmit(); }
  if (event.key === "Escape") replyTo(null);
};
$("replying").lastElementChild.onclick = () => replyTo(null);
$("person").onchange = drawThread;
$("find").oninput = drawList;
$("below").onclick = toEnd;
$("thread").onscroll = () => { stuck = atEnd(); if (stuck) $("below").hidden = true; };
$("thread").onclick = (event) => {
  const command = event.target.dataset?.command;
  if (command) { event.preventDefault(); send(command); }
  if (event.target.tagName === "CODE") navigator.clipboard?.writeText(event.target.textContent).then(() => notice("Copied"));
};
$("back").onclick = () => {
  current = "";
  $("desk").classList.remove("open");
  document.body.classList.remove("chatting");
  $("phone").hidden = true;
  $("none").hidden = false;
  history.replaceState(null, "", location.pathname);
  drawList();
};
document.addEventListener("click", (event) => { if (!$("menu").contains(event.target)) $("menu").open = false; });

// ---- what changes

function showToast(words) {
  document.querySelector(".toast")?.remove();
  if (!words) return;
  const box = make("div", "toast", words);
  $("phone").append(box);
  setTimeout(() => box.remove(), 3200);
}

function change({ thread, bubble }) {
  threads.set(thread.id, thread);
  if (bubble) {
    if (!bubbles.has(thread.id)) bubbles.set(thread.id, new Map());
    const known = bubbles.get(thread.id);
    const before = known.get(bubble.id);
    known.set(bubble.id, bubble);
    if (thread.id === current) place(bubble, before);
  }
  if (thread.id === current) { markSeen(current, thread.seq); drawHead(); }
  soonList();
}

function place(bubble, before) {
  const stick = stuck;
  const old = $("thread").querySelector(`[data-id="${CSS.escape(bubble.id)}"]`);
  if (bubble.toast && bubble.toast !== before?.toast) showToast(bubble.toast);
  if (before) pressed.delete(bubble.id);
  const node = said(bubble);
  if (old) old.replaceWith(node);
  else {
    node.classList.add("fresh");
    const last = [...(bubbles.get(current)?.values() || [])].at(-2);
    if (!last || day(last.at) !== day(bubble.at)) $("thread").append(make("div", "chip", day(bubble.at)));
    $("thread").append(node);
  }
  if (stick || bubble.mine) toEnd();
  else if (!old) $("below").hidden = false;
}

let listWaits = 0;
function soonList() {
  if (!listWaits) listWaits = requestAnimationFrame(() => { listWaits = 0; drawList(); });
}

async function begin() {
  const body = await (await fetch("/lab/api/chats")).json();
  for (const thread of body.chats) {
    threads.set(thread.id, thread);
    if (!seen.has(thread.id)) seen.set(thread.id, thread.seq);
  }
  drawList();
  const asked = decodeURIComponent(location.hash.slice(1));
  if (threads.has(asked)) await open(asked, true);
  const stream = new EventSource(`/lab/api/chats/stream?after=${body.seq}`);
  stream.addEventListener("change", (event) => change(JSON.parse(event.data)));
  stream.onopen = () => { $("live").textContent = "live"; $("live").classList.remove("off"); };
  stream.onerror = () => { $("live").textContent = "connecting"; $("live").classList.add("off"); };
}

begin();
