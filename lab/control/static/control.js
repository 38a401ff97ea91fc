// The network page: one state object over SSE; what did not change is not touched, so focus and scroll stay.

const $ = (id) => document.getElementById(id);
let state = null;

function make(tag, name = "", ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

function notice(words, bad = false) {
  document.querySelector(".notice")?.remove();
  const box = make("div", bad ? "notice bad" : "notice", words);
  box.setAttribute("role", "status");
  document.body.append(box);
  setTimeout(() => box.remove(), 4000);
}

async function deed(noun, name, verb, options = {}) {
  try {
    const answer = await fetch(`/lab/api/${noun}/${encodeURIComponent(name)}/${verb}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(options),
    });
    const said = await answer.json();
    notice(said.done || said.error, !answer.ok);
  } catch { notice("The lab does not answer.", true); }
}

function button(words, noun, name, verb, options, style = "") {
  const made = make("button", `button small ${style}`, words);
  made.onclick = () => deed(noun, name, verb, options);
  return made;
}

// Replace the children of `parent` by key, keeping the node of each row whose content is the same as before.
function keep(parent, rows, keyOf, draw) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = rows.map((row) => {
    const key = keyOf(row), print = JSON.stringify(row);
    let node = old.get(key);
    if (!node || node.dataset.print !== print) {
      const fresh = draw(row);
      fresh.dataset.key = key;
      fresh.dataset.print = print;
      if (node?.contains(document.activeElement)) refocus(node, fresh);
      node?.replaceWith(fresh);
      node = fresh;
    }
    old.delete(key);
    return node;
  });
  for (const node of old.values()) node.remove();
  wanted.forEach((node, at) => { if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] || null); });
}

function refocus(before, after) {
  const at = [...before.querySelectorAll("button, input, select")].indexOf(document.activeElement);
  requestAnimationFrame(() => after.querySelectorAll("button, input, select")[at]?.focus({ preventScroll: true }));
}

const WORDS = { up: "up", cut: "cut", degraded: "degraded" };
const SHAPE = { up: "up", cut: "down", degraded: "degraded" };

function hostNode(host) {
  const box = make("div", `host ${SHAPE[host.state] === "up" ? "" : SHAPE[host.state]}`);
  const name = make("div", "name", host.name);
  name.title = host.title;
  const deeds = make("div", "deeds");
  if (host.state === "up") deeds.append(button("Cut", "hosts", host.name, "cut", {}, "danger"));
  if (host.state === "up" && state.host_kind === "icmp") deeds.append(button("Degrade", "hosts", host.name, "degrade"));
  if (host.state !== "up") deeds.append(button("Restore", "hosts", host.name, "restore"));
  deeds.append(button("Flap", "hosts", host.name, "flap"));
  const words = host.state === "degraded" ? `loss ${Math.round(host.loss * 100)} %, +${Math.round(host.delay_ms)} ms` : WORDS[host.state];
  box.append(make("div", "", name, make("span", `state ${SHAPE[host.state]}`, words)),
    make("div", "", make("span", "mono", host.address), deeds));
  return box;
}

function routerNode(router) {
  const box = make("div", "router");
  const who = make("div", "", make("b", "", router.name), " ", make("span", "soft small", `RouterOS ${router.version}, ${router.board}`));
  const how = make("div", "how", make("span", `state ${router.fault ? "down" : "up"}`, router.fault || "reachable"),
    make("span", "soft small", `${router.sessions} sessions`), make("span", "mono soft", router.address));
  const deeds = make("div", "deeds");
  if (router.fault) deeds.append(button("Restore", "routers", router.name, "restore"));
  else deeds.append(button("Cut", "routers", router.name, "cut", {}, "danger"), button("Hang", "routers", router.name, "hang"));
  deeds.append(button("Reboot", "routers", router.name, "reboot"), button("Drop sessions", "routers", router.name, "drop"), moreOf(router));
  box.append(who, how, deeds);
  return box;
}

function moreOf(router) {
  const chosen = make("select", "field small");
  chosen.setAttribute("aria-label", `More faults of ${router.name}`);
  chosen.append(new Option("More faults", ""), new Option("Nonsense in the next reply", "garbage"), new Option("Half a sentence next", "half"),
    new Option("Slow /ppp/active, 10 s", "slow"), new Option("Another password", "password"), new Option("Unplug ether3", "unplug"),
    new Option("Plug ether3 in", "plug"), new Option("CPU at 97 %", "strain"), new Option("Clock 10 min ahead", "clock"));
  const options = { unplug: { port: "ether3" }, plug: { port: "ether3" }, strain: { cpu: 97 } };
  chosen.onchange = () => { if (chosen.value) deed("routers", router.name, chosen.value, options[chosen.value]); chosen.value = ""; };
  return chosen;
}

function siteNode(site) {
  const box = make("article", "site");
  const down = site.hosts.filter((h) => h.state === "cut").length;
  const head = make("header", "", make("h2", "", site.name),
    make("span", "count", `${site.hosts.length} hosts${down ? `, ${down} cut` : ""}`));
  const deeds = make("div", "deeds", button("Cut the whole site", "sites", site.id, "cut", {}, "danger"), button("Restore the site", "sites", site.id, "restore"));
  head.append(deeds);
  const routers = make("div", "routers"), hosts = make("div", "hosts");
  box.append(head, routers, hosts);
  return box;
}

function drawSites() {
  const rows = state.sites.map((site) => ({
    ...site, hosts: state.hosts.filter((h) => h.site === site.id), routers: state.routers.filter((r) => r.site === site.id),
  }));
  const shell = (site) => ({ id: site.id, name: site.name, hosts: site.hosts.map((h) => ({ state: h.state })) });
  const parent = $("sites");
  keep(parent, rows.map(shell), (s) => s.id, siteNode);
  for (const site of rows) {
    const node = parent.querySelector(`[data-key="${CSS.escape(site.id)}"]`);
    keep(node.querySelector(".routers"), site.routers, (r) => r.name, routerNode);
    keep(node.querySelector(".hosts"), site.hosts, (h) => h.name, hostNode);
  }
}

function serverNode(server) {
  const box = make("div", "server");
  const away = server.faults.some((f) => f.kind === "away");
  const words = away ? "internet away" : server.faults.length ? server.faults.map((f) => `${f.kind}${f.times ? ` ×${f.times}` : ""}`).join(", ") : "answers";
  const shape = away ? "down" : server.faults.length ? "degraded" : "up";
  box.append(make("div", "top", make("b", "", server.title), make("span", `state ${shape}`, words)));
  box.append(make("span", "mono soft", server.url));
  const deeds = make("div", "deeds");
  if (server.faults.length) deeds.append(button("Heal", "chat-servers", server.name, "heal"));
  if (!away) deeds.append(button("Internet away", "chat-servers", server.name, "away", {}, "danger"));
  deeds.append(faultsOf(server));
  box.append(deeds);
  if (server.strict !== null) {
    const box2 = make("input");
    box2.type = "checkbox";
    box2.checked = server.strict;
    box2.onchange = () => deed("chat-servers", server.name, "strict", { on: String(box2.checked) });
    box.append(make("label", "", box2, "Enforce rate limits"));
  }
  return box;
}

function faultsOf(server) {
  const chosen = make("select", "field small");
  chosen.setAttribute("aria-label", `Faults of ${server.title}`);
  const faults = [["429, retry after 30 s", "retry_after", { seconds: 30 }], ["502 page from a proxy", "bad_gateway", {}], ["500 once", "server_error", {}],
    ["Hang for 20 s", "hang", { seconds: 20 }], ["Cut one call", "cut", {}], ["Token refused", "unauthorized", {}]];
  chosen.append(new Option("Next call fails", ""), ...faults.map(([words], at) => new Option(words, String(at))));
  chosen.onchange = () => {
    const fault = faults[Number(chosen.value)];
    if (chosen.value && fault) deed("chat-servers", server.name, "fault", { kind: fault[1], ...fault[2] });
    chosen.value = "";
  };
  return chosen;
}

function subscriberNode(one) {
  const row = make("tr");
  const who = make("td", "", one.name, make("span", "mono", one.user));
  const plan = make("td", "plan soft", `${one.service === "pppoe" ? "PPPoE" : "Hotspot"}, ${one.profile}`, make("span", "mono", `${one.router} · ${one.phone}`));
  const online = make("span", `state ${one.online ? "up" : one.refused ? "down" : "unknown"}`, one.online ? "online" : one.refused ? "refused" : "offline");
  if (one.refused) online.title = one.refused;
  if (one.online && one.since) online.title = `since ${new Date(one.since * 1000).toLocaleTimeString([], { hour12: false })}`;
  const act = one.online ? button("Log out", "subscribers", one.user, "logout") : button("Log in", "subscribers", one.user, "login");
  row.append(who, plan, make("td", "state-cell", online), make("td", "", act));
  return row;
}

function drawSubscribers() {
  const wanted = $("find").value.toLowerCase();
  const rows = state.subscribers.filter((s) => `${s.name} ${s.user} ${s.phone} ${s.router}`.toLowerCase().includes(wanted));
  keep($("subscribers"), rows, (s) => s.user, subscriberNode);
}

function sentence() {
  const down = state.hosts.filter((h) => h.state !== "up");
  const faulty = state.routers.filter((r) => r.fault);
  const online = state.subscribers.filter((s) => s.online).length;
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const wrong = [];
  if (down.length) wrong.push(down.length <= 3 ? down.map((h) => `${h.name} ${h.state}`).join(", ") : `${down.length} hosts not well`);
  if (faulty.length) wrong.push(faulty.map((r) => `${r.name} ${r.fault}`).join(", "));
  const away = state.chat_servers.filter((s) => s.faults.some((f) => f.kind === "away")).map((s) => s.title);
  if (away.length) wrong.push(away.length === state.chat_servers.length ? "internet away" : `${away.join(", ")} away`);
  const all = `${plural(state.hosts.length, "host")}, ${plural(state.routers.length, "router")}, ${online} of ${plural(state.subscribers.length, "subscriber")} online.`;
  return wrong.length ? `${wrong.join("; ")}. ${all}` : `All well at ${state.provider}. ${all}`;
}

function draw() {
  $("sentence").textContent = sentence();
  $("ground").textContent = state.host_kind === "icmp"
    ? "Hosts answer ICMP in a network namespace of this lab."
    : `Hosts are TCP services on loopback: ${state.why_tcp || "asked for"}.`;
  drawSites();
  keep($("servers"), state.chat_servers, (s) => s.name, serverNode);
  drawSubscribers();
}

$("find").oninput = () => state && drawSubscribers();
const stream = new EventSource("/lab/api/state/stream");
stream.addEventListener("state", (event) => { state = JSON.parse(event.data); draw(); });
stream.onopen = () => { $("live").textContent = "live"; $("live").classList.remove("off"); };
stream.onerror = () => { $("live").textContent = "connecting"; $("live").classList.add("off"); };
