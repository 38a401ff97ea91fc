// Text with marks to DOM nodes: Telegram's entities (offsets in UTF-16 units, as JavaScript counts) and WhatsApp's *marks*.

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };

function wrap(entity, text) {
  if (entity.type === "text_link" || entity.type === "url") {
    const link = document.createElement("a");
    link.href = entity.url || text;
    link.target = "_blank";
    link.rel = "noreferrer";
    if (!/^(https?|tg|mailto|tel):/.test(link.href)) link.removeAttribute("href");
    return link;
  }
  if (entity.type === "bot_command") {
    const link = document.createElement("a");
    link.href = "#";
    link.dataset.command = text;
    return link;
  }
  if (entity.type === "spoiler") {
    const cover = document.createElement("span");
    cover.className = "spoiler";
    cover.tabIndex = 0;
    return cover;
  }
  return document.createElement(TAGS[entity.type] || "span");
}

function fill(parent, text, entities, from, to) {
  let at = from;
  let rest = entities;
  while (rest.length) {
    const [first, ...others] = rest;
    const end = Math.min(first.offset + first.length, to);
    if (first.offset > at) parent.append(text.slice(at, first.offset));
    const inside = others.filter((e) => e.offset < end);
    const node = wrap(first, text.slice(first.offset, end));
    fill(node, text, inside.map((e) => ({ ...e, length: Math.min(e.length, end - e.offset) })), first.offset, end);
    parent.append(node);
    at = end;
    rest = others.filter((e) => e.offset >= end);
  }
  if (at < to) parent.append(text.slice(at, to));
}

const WHATSAPP = /```([\s\S]+?)```|(?<![\w*])\*(?=\S)([^*\n]*\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*\S)~(?![\w~])|(https?:\/\/[^\s<>"]+)/g;

function fillWhatsapp(parent, text) {
  let at = 0;
  for (const found of text.matchAll(WHATSAPP)) {
    parent.append(text.slice(at, found.index));
    const [whole, mono, bold, italic, strike, url] = found;
    const node = document.createElement(mono ? "code" : bold ? "b" : italic ? "i" : strike ? "s" : "a");
    if (url) Object.assign(node, { href: url, target: "_blank", rel: "noreferrer" });
    if (mono || url) node.append(mono || url);
    else fillWhatsapp(node, bold || italic || strike);
    parent.append(node);
    at = found.index + whole.length;
  }
  parent.append(text.slice(at));
}

export function marked(bubble) {
  const box = document.createElement("span");
  box.className = "text";
  if (bubble.markup === "whatsapp") fillWhatsapp(box, bubble.text);
  else {
    const entities = [...bubble.entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
    fill(box, bubble.text, entities, 0, bubble.text.length);
  }
  return box;
}
