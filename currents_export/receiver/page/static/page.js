"use strict";
// Every text comes from events, which may be hostile: it only ever becomes the text of a node.
(() => {
  const $ = (id) => document.getElementById(id);
  const API = "/_page/api/";
  const SVG = "http://www.w3.org/2000/svg";
  const WINDOW = 50;
  const MOST_ROWS = 1000;

  const state = {
    view: "events", live: true, reveal: false, run: "", summary: null,
    selected: null, more: null, newest: {events: -1, requests: -1}, older: false,
    asked: 0, busy: false, last: 0,
  };

  // ---- small helpers ----
  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === false || value === null || value === undefined) continue;
      if (name === "text") node.textContent = value;
      else if (name === "on") for (const [kind, act] of Object.entries(value)) node.addEventListener(kind, act);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((each) => each !== null && each !== undefined));
    return node;
  }
  const number = (value) => Number(value || 0).toLocaleString("en");
  const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  const pad = (value, width = 2) => String(value).padStart(width, "0");
  function clock(seconds, milliseconds = true) {
    const at = new Date(seconds * 1000);
    const text = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
    return milliseconds ? `${text}.${pad(at.getMilliseconds(), 3)}` : text;
  }
  function date(seconds) {
    const at = new Date(seconds * 1000);
    return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock(seconds, false)}`;
  }
  function bytes(count) {
    if (count < 1024) return `${count} B`;
    return count < 1048576 ? `${(count / 1024).toFixed(1)} KB` : `${(count / 1048576).toFixed(1)} MB`;
  }
  const shortType = (type) => type.replace(/^users\.(messages\.|behaviors\.)?/, "") || type;
  const family = (type) => {
    const parts = type.split(".");
    return (parts[0] === "users" && parts.length > 2 ? parts[1] === "messages" ? parts[2] : parts[1] : parts[0]).toLowerCase();
  };
  const HUES = {email: 1, pushnotification: 2, inappmessage: 3, sms: 4, contentcard: 5, canvas: 6, campaigns: 6, behaviors: 7, whatsapp: 4, webhook: 8};
  const hue = (type) => HUES[family(type)] || 8;
  // A type may break after a dot.
  const breakable = (text) => text.split(".").flatMap((part, at, parts) => at < parts.length - 1 ? [`${part}.`, make("wbr")] : [part]);
  function say(text, problem = false) {
    $("says").textContent = text;
    $("says").classList.toggle("problem", problem);
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { $("says").textContent = ""; }, 6000);
  }
  async function ask(path, parameters = {}, body = undefined) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== "" && value !== null && value !== undefined && value !== false) query.set(name, value);
    }
    if (state.reveal) query.set("reveal", "1");
    const options = body === undefined ? {} : {
      method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json"},
    };
    const response = await fetch(`${API}${path}?${query}`, options);
    const value = await response.json().catch(() => ({error: `the response has status ${response.status}`}));
    if (!response.ok) throw new Error(value.error || `the response has status ${response.status}`);
    return value;
  }
  const attempt = (act) => async (...given) => {
    try { return await act(...given); } catch (error) { say(error.message, true); return undefined; }
  };
  const setText = (id, text) => { const node = $(id); if (node.textContent !== text) node.textContent = text; };

  // ---- totals, charts, findings ----
  function showSummary(summary) {
    state.run = summary.run;
    state.summary = summary;
    setText("n-events", number(summary.events));
    setText("n-duplicates", summary.duplicates ? plural(summary.duplicates, "duplicate") : "no duplicates");
    setText("n-rate", number(summary.rates.events_per_second));
    setText("n-request-rate", `${number(summary.rates.requests_per_second)} requests per second`);
    setText("n-requests", number(summary.requests));
    const statuses = Object.entries(summary.by_status).sort((a, b) => b[1] - a[1]);
    setText("n-statuses", statuses.length ? statuses.slice(0, 4).map(([status, count]) => `${number(count)} × ${status}`).join(", ") : "none yet");
    for (const name of ["p50", "p95", "p99"]) {
      const value = summary.latency[name];
      setText(`n-${name}`, value === null ? "–" : value < 10 ? value.toFixed(1) : number(Math.round(value)));
    }
    setText("n-findings", number(summary.errors + summary.warnings));
    setText("n-levels", `${summary.errors ? plural(summary.errors, "error") : "no errors"}, ${summary.warnings ? plural(summary.warnings, "warning") : "no warnings"}`);
    $("card-findings").dataset.level = summary.errors ? "error" : summary.warnings ? "warning" : "";
    showHealth(summary.health);
    showMore(summary.more);
    showChart(summary.rates);
    showTypes(summary.rates.types, summary.by_type);
    showFindings(summary);
    showFault(summary.fault);
    noticeNew(summary);
  }
  function showHealth(health) {
    $("card-health").hidden = !health;
    if (!health) return;
    setText("n-state", String(health.state || "–"));
    $("card-health").dataset.level = health.state === "active" ? (health.reason ? "warning" : "good") : "error";
    setText("n-health", Object.entries(health).filter(([name, value]) => name !== "state" && value !== "" && (value !== 0 || name === "pending")).map(([name, value]) => name === "reason" ? value : `${number(value)} ${name}`).join(" · "));
  }
  function showMore(more) {
    const given = Object.keys(more || {}).length > 0;
    $("card-more").hidden = !given;
    if (!given) return;
    setText("n-messages", number(more.messages));
    setText("n-more", ["messages", ...Object.entries(more).filter(([name, count]) => name !== "messages" && count).map(([name, count]) => `${number(count)} ${name}`)].join(" · "));
  }
  function svg(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }
  function area(series, top, width, height) {
    const step = width / (series.length - 1);
    const points = series.map((value, at) => `${(at * step).toFixed(1)},${(height - value / top * (height - 2)).toFixed(1)}`);
    return {line: `M${points.join("L")}`, area: `M0,${height}L${points.join("L")}L${width},${height}Z`};
  }
  function showChart(rates) {
    const top = Math.max(1, ...rates.events, ...rates.failed);
    const failed = rates.failed.reduce((sum, each) => sum + each, 0);
    setText("chart-max", number(top));
    const drawn = area(rates.events, top, 600, 100);
    const bars = rates.failed.map((count, at) => count ? svg("rect", {class: "failed", x: (at * 600 / (rates.seconds - 1) - 2).toFixed(1), y: (100 - Math.max(3, count / top * 98)).toFixed(1), width: 4, height: 100}) : null).filter(Boolean);
    $("chart").replaceChildren(svg("path", {class: "area", d: drawn.area}), svg("path", {class: "line", d: drawn.line}), ...bars);
    $("chart").setAttribute("aria-label", `${number(rates.events_per_second)} events per second now; at most ${number(Math.max(...rates.events))} in the last two minutes; ${plural(failed, "failed request")}`);
  }
  function showTypes(types, totals) {
    const known = new Map(totals);
    $("types-empty").hidden = types.length > 0;
    const list = $("types");
    while (list.children.length > types.length) list.lastChild.remove();
    types.forEach((each, at) => {
      let item = list.children[at];
      if (!item) {
        item = make("li", {}, make("button", {type: "button", class: "link", on: {click: (event) => filterBy({type: event.currentTarget.title})}}), svg("svg", {class: "spark", viewBox: "0 0 120 24", preserveAspectRatio: "none", "aria-hidden": "true"}), make("span", {class: "count"}));
        item.children[1].append(svg("path", {class: "line"}));
        list.append(item);
      }
      const [button, spark, count] = item.children;
      if (button.title !== each.type) {
        button.title = each.type;
        button.textContent = shortType(each.type);
        button.className = `link hue-${hue(each.type)}`;
      }
      spark.firstChild.setAttribute("d", area(each.series, Math.max(1, ...each.series), 120, 24).line);
      count.textContent = `${number(each.per_second)}/s`;
      count.title = `${number(known.get(each.type))} in total`;
    });
    const names = $("type-names");
    if (names.children.length !== totals.length) names.replaceChildren(...totals.map(([name]) => make("option", {value: name})));
  }
  function showFindings(summary) {
    $("findings-empty").hidden = summary.findings.length > 0;
    $("findings").hidden = summary.findings.length === 0;
    const key = JSON.stringify(summary.findings.map((each) => each.count));
    if ($("findings").dataset.key === key || $("findings").matches(":focus-within")) return;
    $("findings").dataset.key = key;
    $("findings").replaceChildren(...summary.findings.map((each) => make("li", {class: each.level},
      make("button", {type: "button", class: "link", title: `${each.text}; ${each.expected}`, on: {click: () => filterBy({finding: each.field || each.code, type: each.types.length === 1 ? each.types[0] : ""})}},
        make("span", {class: `badge ${each.level}`, text: each.level}),
        make("span", {class: "what"}, ...(each.field ? breakable(each.field) : [each.code.replaceAll("_", " ")])),
        make("span", {class: "where"}, each.code.replaceAll("_", " "), ...(each.types.length ? [" · ", ...(each.types.length === 1 ? breakable(shortType(each.types[0])) : [plural(each.types.length, "type")])] : []))),
      make("span", {class: "count", text: number(each.count)}))));
  }
  function showFault(fault) {
    const text = fault ? `${fault.description}: ${fault.left === null ? "until you switch it off" : `${plural(fault.left, "more request")}`}` : "Responding as usual.";
    setText("fault-state", text);
    $("faults-panel").classList.toggle("on", Boolean(fault));
    $("fault-off").disabled = !fault;
  }
  function noticeNew(summary) {
    const latest = {events: summary.next_event - 1, requests: summary.next_request - 1};
    const view = state.view;
    if (view === "timeline") return;
    const fresh = latest[view] - state.newest[view];
    if (fresh <= 0) return;
    const reading = state.older || !state.live || $("list").matches(":hover") || $("list").contains(document.activeElement);
    if (reading && $("tbody").children.length) {
      $("new").hidden = false;
      $("new").textContent = view === "events" && isFiltered() ? "There are new ones – show" : `${number(fresh)} new – show`;
    } else if (!state.busy && performance.now() - state.last > 700) update();
  }

  // ---- lists ----
  const badge = (count, worst) => count || worst ? make("span", {class: `badge ${worst}`, text: count ? `${count} ${worst}${count === 1 ? "" : "s"}`.replace("errors", "findings").replace("warnings", "findings") : worst}) : null;
  const STATUS = (status) => status.startsWith("2") ? "good" : status === "429" || status.startsWith("3") ? "warning" : "error";
  const HEADS = {
    events: ["Time", "Type", "User", "Campaign or Canvas", "Findings"],
    requests: ["Time", "Status", "Events", "Size", "ms", "Notes"],
  };
  function link(parameters, text, attributes = {}) {
    return make("a", {href: `?${new URLSearchParams(parameters)}`, text, ...attributes});
  }
  function typeLink(each, kind) {
    const node = link({event: each.id}, "", {class: kind, title: each.type, "data-event": each.id});
    node.append(...breakable(shortType(each.type)));
    return node;
  }
  function eventRow(each) {
    return make("tr", {"data-id": each.id, "data-number": each.number, class: each.taken ? null : "refused"},
      timeCell(each.at),
      make("th", {scope: "row", class: "type"}, typeLink(each, `open hue-${hue(each.type)}`), each.taken ? null : make("span", {class: "badge error", text: "not taken"})),
      make("td", {class: "user"}, make("span", {text: each.user, title: each.user})),
      make("td", {class: "campaign"}, make("span", {text: each.campaign_name || each.campaign, title: each.campaign})),
      make("td", {class: "badges"}, badge(each.findings, each.worst)));
  }
  function requestRow(each) {
    const notes = [];
    if (each.retry_of !== null) notes.push(`again: #${each.retry_of}`);
    if (each.fault) notes.push("by hand");
    if (each.resent) notes.push("sent from here");
    return make("tr", {"data-id": String(each.number), "data-number": each.number},
      timeCell(each.at),
      make("th", {scope: "row"}, link({request: each.number}, each.status, {class: `open status ${STATUS(each.status)}`, "data-request": each.number, "aria-label": `Request ${each.number}: ${each.status}`})),
      make("td", {class: "num", text: each.events === null ? "–" : number(each.events)}),
      make("td", {class: "num", text: bytes(each.bytes)}),
      make("td", {class: "num", text: each.ms < 10 ? each.ms.toFixed(1) : number(Math.round(each.ms))}),
      make("td", {class: "notes"}, make("span", {text: [...notes, each.reason].filter(Boolean).join(" · "), title: each.reason}), badge(0, each.worst)));
  }
  function timeCell(at) {
    const text = clock(at);
    return make("td", {class: "time"}, text.slice(0, 8), make("span", {class: "fraction", text: text.slice(8)}));
  }
  const rowOf = (each) => state.view === "events" ? eventRow(each) : requestRow(each);
  const filters = () => Object.fromEntries(new FormData($("filters")));
  const isFiltered = () => Object.values(filters()).some(Boolean);
  function parameters() {
    return state.view === "events" ? filters() : {failed: $("f-failed").checked ? "1" : ""};
  }
  const refresh = attempt(async () => {
    const view = state.view;
    if (view === "timeline") return;
    const asked = ++state.asked;
    state.busy = true;
    state.last = performance.now();
    try {
      const value = await ask(view, {...parameters(), limit: WINDOW});
      if (asked !== state.asked) return;
      fill(view, value);
      await searchOn(asked);
    } finally {
      if (asked === state.asked) state.busy = false;
    }
  });
  // One response of the receiver is about a part of the kept events only.
  async function searchOn(asked) {
    while (state.view === "events" && state.more !== null && $("tbody").children.length < WINDOW) {
      setText("empty", $("tbody").children.length ? "" : "Searching …");
      const value = await ask("events", {...parameters(), before: state.more, limit: WINDOW - $("tbody").children.length});
      if (asked !== state.asked) return;
      append("events", value);
    }
    emptyText();
  }
  function append(view, value) {
    state.more = value.more;
    $("tbody").append(...value[view].map(rowOf));
    $("more").hidden = value.more === null;
    mark();
  }
  function emptyText() {
    const filtered = state.view === "events" ? isFiltered() : $("f-failed").checked;
    setText("empty", $("tbody").children.length ? "" : filtered ? "Nothing that is kept passes this filter." : "Nothing has arrived yet. Send something to this address.");
  }
  function fill(view, value) {
    const rows = value[view];
    $("tbody").replaceChildren(...rows.map(rowOf));
    state.newest[view] = value.next - 1;
    state.more = value.more;
    state.older = false;
    $("new").hidden = true;
    $("more").hidden = value.more === null;
    if (view === "requests" || value.more === null || rows.length) emptyText();
    foot(value);
    mark();
  }
  function foot(value) {
    setText("foot", `${plural(value.kept, state.view === "events" ? "event" : "request")} kept${value.dropped ? `; ${number(value.dropped)} older ones are not kept any more` : ""}`);
  }
  // Add what is new. Rows that stay are not moved, so that a selection of text stays too.
  const update = attempt(async () => {
    const view = state.view;
    const asked = state.asked;
    state.busy = true;
    state.last = performance.now();
    try {
      const value = await ask(view, {...parameters(), after: state.newest[view], limit: WINDOW});
      if (asked !== state.asked) return;
      if (value[view].length === WINDOW) { fill(view, value); return; }
      const body = $("tbody");
      body.prepend(...value[view].map(rowOf));
      if (body.children.length > WINDOW) {
        while (body.children.length > WINDOW) body.lastChild.remove();
        state.more = Number(body.lastChild.dataset.number);
        $("more").hidden = false;
      }
      state.newest[view] = value.next - 1;
      foot(value);
      emptyText();
    } finally {
      if (asked === state.asked) state.busy = false;
    }
  });
  const showOlder = attempt(async () => {
    const view = state.view;
    const asked = state.asked;
    state.older = true;
    let left = WINDOW;
    while (left > 0 && state.more !== null) {
      const value = await ask(view, {...parameters(), before: state.more, limit: left});
      if (asked !== state.asked) return;
      left -= value[view].length;
      append(view, value);
    }
    while ($("tbody").children.length > MOST_ROWS) $("tbody").firstChild.remove();
  });
  function mark() {
    for (const row of $("tbody").children) {
      const chosen = state.selected !== null && row.dataset.id === state.selected;
      row.classList.toggle("chosen", chosen);
      const opener = row.querySelector(".open");
      if (chosen) opener.setAttribute("aria-current", "true"); else opener.removeAttribute("aria-current");
    }
  }
  function show(view, push = true) {
    uncoverList();
    state.view = view;
    state.asked += 1;
    state.busy = false;
    for (const tab of document.querySelectorAll("[role=tab]")) {
      const chosen = tab.dataset.view === view;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    $("view").setAttribute("aria-labelledby", `tab-${view}`);
    $("filters").hidden = view !== "events";
    $("request-filters").hidden = view !== "requests";
    $("timeline-form").hidden = view !== "timeline";
    $("table").hidden = view === "timeline";
    $("moments").hidden = view !== "timeline";
    $("more").hidden = true;
    $("new").hidden = true;
    $("foot").textContent = "";
    $("empty").textContent = view === "timeline" ? "Enter a user, or choose “Timeline of this user” at an event." : "";
    $("tbody").replaceChildren();
    $("moments").replaceChildren();
    if (view !== "timeline") {
      $("caption").textContent = `${view === "events" ? "Events" : "Requests"}, the newest first`;
      $("thead").replaceChildren(make("tr", {}, ...HEADS[view].map((name) => make("th", {scope: "col", class: name.toLowerCase().split(" ")[0], text: name}))));
      $("table").className = view;
      refresh();
    } else if ($("t-user").value) showTimeline();
    if (push) remember({view: view === "events" ? null : view});
  }
  function filterBy(values) {
    for (const field of $("filters").elements) if (field.name) field.value = values[field.name] || "";
    if (state.view !== "events") show("events", false);
    else uncoverList();
    filtersChanged();
    $("explorer").scrollIntoView({block: "start"});
  }
  function filtersChanged() {
    $("f-reset").disabled = !isFiltered();
    remember({}, true);
    refresh();
  }

  // ---- timeline ----
  function gap(seconds) {
    if (seconds < 1) return "";
    if (seconds < 60) return `${Math.round(seconds)} s later`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min later`;
    return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h later` : `${Math.round(seconds / 86400)} days later`;
  }
  const showTimeline = attempt(async () => {
    const user = $("t-user").value.trim();
    const campaign = $("t-campaign").value.trim();
    if (!user) return;
    const value = await ask("timeline", {user, campaign});
    if (state.view !== "timeline") return;
    remember({view: "timeline", user, campaign});
    let before = null;
    $("moments").replaceChildren(...value.events.map((each) => {
      const at = each.time === null ? each.at : each.time;
      const later = before === null ? "" : gap(at - before);
      before = at;
      return make("li", {class: `hue-${hue(each.type)}`},
        make("span", {class: "when", text: date(at)}), make("span", {class: "gap", text: later}),
        make("span", {class: "channel", text: family(each.type)}),
        typeLink(each, "open"),
        each.campaign ? make("button", {type: "button", class: "link", title: "Only this journey", text: each.campaign_name || each.campaign, on: {click: () => { $("t-campaign").value = each.campaign; showTimeline(); }}}) : null,
        badge(each.findings, each.worst));
    }));
    $("empty").textContent = value.events.length ? "" : "No event of this user is kept.";
    $("foot").textContent = value.events.length ? `${plural(value.events.length, "event")} of ${value.user}${value.more ? ", the latest" : ""}` : "";
  });
  function timelineOf(user, campaign) {
    $("t-user").value = user;
    $("t-campaign").value = campaign || "";
    show("timeline");
  }

  // ---- details ----
  function jsonOf(lines) {
    return make("ol", {class: "json"}, ...lines.map((line) => {
      const worst = (line.marks || []).some((each) => each.level === "error") ? "error" : line.marks ? "warning" : "";
      return make("li", {class: `d${line.depth}${worst ? ` marked ${worst}` : ""}`},
        make("code", {},
          line.key === undefined ? null : make("span", {class: "key", text: line.key}),
          line.key === undefined || line.kind === "missing" ? null : ": ",
          make("span", {class: `v ${line.kind}`, text: line.kind === "missing" ? " – not there" : line.text})),
        ...(line.marks || []).map((each) => make("span", {class: `note ${each.level}`}, make("b", {text: each.level}), ` ${each.text}; ${each.expected}`)));
    }));
  }
  const copy = attempt(async (text, what) => {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else { // over HTTP from another machine
      const field = make("textarea", {class: "hidden", "aria-hidden": "true"});
      field.value = text;
      document.body.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      if (!copied) throw new Error("The browser does not let this page copy.");
    }
    say(`Copied ${what}.`);
  });
  function action(text, act, attributes = {}) {
    return make("button", {type: "button", text, on: {click: attempt(act)}, ...attributes});
  }
  function fact(name, ...values) {
    return make("div", {}, make("dt", {text: name}), make("dd", {}, ...values));
  }
  function section(title, ...children) {
    return make("section", {}, make("h4", {text: title}), ...children);
  }
  function requestParts(each) {
    const raw = each.text !== null
      ? make("pre", {class: "raw", tabindex: "0", role: "region", "aria-label": "Raw bytes", text: `${each.text}${each.cut ? "\n…" : ""}`})
      : make("p", {class: "small", text: each.has_body ? "The raw bytes have personal data. Switch on “Personal data” to see them." : "The body was not read, or is not kept any more."});
    const parts = [
      section("Headers", make("dl", {class: "headers"}, fact(`${each.method}`, each.path), ...each.headers.map((header) => fact(header.name, header.value)))),
      section("Raw bytes", raw, each.text === null ? null : make("p", {}, make("a", {href: `${API}requests/${each.number}/body?reveal=1`, download: `request-${each.number}.json`, text: `Download all ${bytes(each.body_bytes)}`}))),
    ];
    if (each.findings.length) parts.unshift(section("Findings about the headers", ...each.findings.map((finding) => make("p", {class: `note ${finding.level}`}, make("b", {text: finding.level}), ` ${finding.field}: ${finding.text}; ${finding.expected}`))));
    return parts;
  }
  function present(title, badges, ...children) {
    const heading = make("h3", {tabindex: "-1", text: title});
    $("shown").replaceChildren(
      make("p", {class: "back"}, action("Back to the list", () => choose(null))),
      make("div", {class: "heading"}, heading, ...badges), ...children);
    $("shown").hidden = false;
    $("hint").hidden = true;
    $("split").classList.add("chosen");
    return heading;
  }
  const showEvent = attempt(async (id, focus) => {
    const each = await ask(`events/${encodeURIComponent(id)}`);
    state.selected = id;
    const made = each.made;
    const heading = present(shortType(each.type),
      [each.taken ? null : make("span", {class: "badge error", text: "not taken"}), badge(each.findings, each.worst)],
      make("p", {class: "buttons"},
        action("Copy link", () => copy(`${location.origin}/?event=${id}`, "the link")),
        action("Copy as curl", async () => copy((await ask(`events/${encodeURIComponent(id)}/curl`)).command, "the command; it has the event's personal data"), {title: "The command has the event as it came, with its personal data"}),
        action("Send again", async () => {
          const sent = await ask(`events/${encodeURIComponent(id)}/send`, {}, {});
          say(`Sent again: ${sent.status}`, !sent.status.startsWith("2"));
        })),
      make("dl", {class: "facts"},
        fact("Type", each.type),
        fact("Id", each.event_id || "–"),
        fact("Happened", each.time === null ? "–" : date(each.time)),
        fact("Received", `${date(each.at)} in `, link({request: each.request}, `request #${each.request}`, {"data-request": each.request})),
        each.tag ? fact("User", action(each.user || each.tag, () => filterBy({user: each.tag}), {class: "link", title: "Events of this user"}), " · ", action("Timeline of this user", () => timelineOf(each.tag), {class: "link"})) : null,
        each.campaign ? fact("Campaign or Canvas", action(each.campaign_name || each.campaign, () => filterBy({campaign: each.campaign}), {class: "link"}), each.tag ? " · " : null, each.tag ? action("Timeline of this journey", () => timelineOf(each.tag, each.campaign), {class: "link"}) : null) : null),
      make("div", {class: "side-by-side"},
        section(made ? "Event" : "Message", jsonOf(each.lines)),
        made ? section("What RudderStack makes of it", made.vanished ? make("p", {class: "note error"}, make("b", {text: "vanishes"}), ` ${made.vanished}`) : jsonOf(made.lines)) : null),
      ...(each.source ? requestParts(each.source) : [make("p", {class: "small", text: "Its request is not kept any more."})]));
    mark();
    remember({event: id});
    if (focus) heading.focus({preventScroll: false});
  });
  const showRequest = attempt(async (id, focus) => {
    const each = await ask(`requests/${id}`);
    state.selected = String(id);
    const heading = present(`Request #${each.number}`,
      [make("span", {class: `status ${STATUS(each.status)}`, text: each.status}), each.fault ? make("span", {class: "badge warning", text: "by hand"}) : null],
      make("p", {class: "buttons"},
        action("Its events", () => filterBy({request: String(each.number)})),
        action("Send again", async () => {
          const sent = await ask(`requests/${each.number}/send`, {}, {});
          say(`Sent again: ${sent.status}`, !sent.status.startsWith("2"));
        }, {disabled: !each.has_body})),
      make("dl", {class: "facts"},
        fact("Received", date(each.at)),
        fact("Took", `${each.ms.toFixed(1)} ms`),
        fact("Body", bytes(each.bytes)),
        fact("Events", `${each.events === null ? "–" : number(each.events)}${each.taken ? "" : ", not taken"}`),
        each.retry_of === null ? null : fact("Sends again", link({request: each.retry_of}, `request #${each.retry_of}`, {"data-request": each.retry_of})),
        each.reason ? fact("Refused", each.reason) : null),
      ...requestParts(each));
    mark();
    remember({request: id});
    if (focus) heading.focus({preventScroll: false});
  });
  function close() {
    state.selected = null;
    $("shown").hidden = true;
    $("hint").hidden = false;
    $("split").classList.remove("chosen");
    mark();
  }
  // On a narrow screen, the details take the place of the list.
  const uncoverList = () => { if (matchMedia("(max-width: 1399px)").matches) close(); };
  function choose(what, focus = true) {
    if (what === null) {
      const before = state.selected;
      close();
      remember({});
      const row = [...$("tbody").children].find((each) => each.dataset.id === before);
      (row ? row.querySelector(".open") : $("scroll")).focus();
    } else if (what.event) showEvent(what.event, focus);
    else showRequest(what.request, focus);
  }

  // ---- the address ----
  function remember(values, replace = false) {
    const kept = new URLSearchParams();
    const shown = {view: state.view === "events" ? null : state.view};
    if (state.view === "events") Object.assign(shown, filters());
    if (state.view === "timeline") Object.assign(shown, {user: $("t-user").value, campaign: $("t-campaign").value});
    for (const [name, value] of Object.entries({...shown, ...values})) if (value) kept.set(name, value);
    const address = kept.size ? `/?${kept}` : "/";
    if (address === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", address); else history.pushState(null, "", address);
  }
  function restore() {
    const given = new URLSearchParams(location.search);
    const view = ["requests", "timeline"].includes(given.get("view")) ? given.get("view") : "events";
    const target = view === "timeline" ? $("timeline-form") : $("filters");
    for (const field of target.elements) if (field.name) field.value = given.get(field.name) || "";
    if (given.get("request") && view === "events") $("filters").elements.request.value = "";
    $("f-reset").disabled = !isFiltered();
    show(view, false);
    if (given.get("event")) choose({event: given.get("event")}, false);
    else if (/^\d+$/.test(given.get("request") || "")) choose({request: given.get("request")}, false);
    else close();
  }

  // ---- the connection ----
  function connect() {
    const stream = new EventSource(`${API}stream`);
    const connection = (kind, text) => { $("connection").dataset.state = kind; setText("connection-text", text); };
    let next = null;
    stream.onopen = () => connection("open", "Connected");
    stream.onerror = () => connection("lost", "Not connected; trying again");
    stream.onmessage = (message) => {
      const isFirst = next === null;
      next = message.data;
      if (isFirst) requestAnimationFrame(() => { const data = next; next = null; showSummary(JSON.parse(data)); });
    };
    window.addEventListener("pagehide", () => stream.close());
  }

  // ---- wiring ----
  function press(id, act) {
    $(id).addEventListener("click", () => {
      const pressed = $(id).getAttribute("aria-pressed") !== "true";
      $(id).setAttribute("aria-pressed", String(pressed));
      act(pressed);
    });
  }
  press("live", (pressed) => { state.live = pressed; if (pressed) refresh(); });
  press("reveal", (pressed) => {
    state.reveal = pressed;
    $("tbody").replaceChildren();
    if (state.view === "timeline") showTimeline(); else refresh();
    const given = state.selected;
    if (given !== null) { if (given.includes("-")) showEvent(given, false); else showRequest(given, false); }
    say(pressed ? "Personal data is shown." : "Personal data is masked.");
  });
  $("theme").addEventListener("click", () => {
    const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* not kept */ }
  });
  try { const theme = localStorage.getItem("theme"); if (theme) document.documentElement.dataset.theme = theme; } catch { /* the system's */ }

  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => show(tab.dataset.view));
    tab.addEventListener("keydown", (event) => {
      const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      show(next.dataset.view);
      next.focus();
    });
  });
  let typing;
  $("filters").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filtersChanged, 60); });
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); filtersChanged(); });
  $("filters").addEventListener("reset", () => setTimeout(() => { $("filters").elements.request.value = ""; filtersChanged(); }));
  $("f-failed").addEventListener("change", () => refresh());
  $("timeline-form").addEventListener("submit", (event) => { event.preventDefault(); showTimeline(); });
  $("more").addEventListener("click", showOlder);
  $("new").addEventListener("click", () => { $("scroll").scrollTop = 0; refresh(); });
  $("clear").addEventListener("click", attempt(async () => {
    await ask("clear", {}, {});
    say("The events and requests were dropped.");
    show(state.view);
  }));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    let target = event.target.closest("a[data-event], a[data-request]");
    if (!target && !String(getSelection())) target = event.target.closest("tbody tr")?.querySelector(".open");
    if (!target) return;
    event.preventDefault();
    choose({event: target.dataset.event, request: target.dataset.request});
  });
  $("tbody").addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const row = event.target.closest("tr");
    if (!step || !row) return;
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return;
    event.preventDefault();
    next.querySelector(".open").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && $("detail").contains(document.activeElement)) choose(null);
  });
  function faultKind() {
    const kind = $("fault-kind").value;
    $("fault-seconds-row").hidden = !["429", "slow"].includes(kind);
    $("fault-seconds-label").textContent = kind === "429" ? "Retry-After" : "Respond after";
  }
  $("fault-kind").addEventListener("change", faultKind);
  const switchFault = attempt(async (values) => {
    const {fault} = await ask("faults", {}, values);
    showFault(fault);
    say(fault ? `Switched on: ${fault.description}` : "Switched off.");
  });
  $("faults").addEventListener("submit", (event) => {
    event.preventDefault();
    const value = (id) => $(id).value === "" ? null : Number($(id).value);
    const hasSeconds = !$("fault-seconds-row").hidden;
    switchFault({kind: $("fault-kind").value, times: value("fault-times"), seconds: hasSeconds ? value("fault-seconds") : null});
  });
  $("fault-off").addEventListener("click", () => switchFault({kind: ""}));
  window.addEventListener("popstate", restore);
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  faultKind();
  restore();
  connect();
})();
