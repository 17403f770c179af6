"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (name, text, className) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };
  const said = document.getElementById("said");
  const { base, guard, guardName, guardIn } = document.body.dataset;
  const secret = () => document.getElementById("caller-secret")?.value ?? "";
  const user = () => document.getElementById("caller-user")?.value ?? "";

  // Copying. Without a secure context there is no clipboard API.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      await copy(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      said.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 1500);
    });
  }

  // A link to something that is folded unfolds it.
  const unfold = () => {
    let e = null;
    try { e = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { /* not an id of ours */ }
    const target = e;
    for (; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  if (location.hash) unfold();
  for (const button of all("[data-expand]")) {
    button.addEventListener("click", () => {
      const folded = all(button.dataset.expand, button.closest("section"));
      const open = folded.some((e) => !e.open);
      for (const e of folded) e.open = open;
      button.textContent = open ? "Collapse all" : "Expand all";
    });
  }

  // JSON for people: the digits and the order of the text stay as they came.
  const token = /("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([{}[\],:])/g;
  const most = 400000;
  const pretty = (text, into) => {
    try { JSON.parse(text); } catch { into.textContent = text; return; }
    if (text.length > most) { into.textContent = text; return; }
    const tokens = [...text.matchAll(token)];
    const out = document.createDocumentFragment();
    let depth = 0;
    const line = () => out.append("\n" + "  ".repeat(depth));
    tokens.forEach(([t, string, number, word], i) => {
      const next = tokens[i + 1]?.[0];
      if (string) out.append(make("span", t, next === ":" ? "k" : "s"));
      else if (number) out.append(make("span", t, "n"));
      else if (word) out.append(make("span", t, "w"));
      else if (t === "{" || t === "[") {
        out.append(t);
        if (next !== "}" && next !== "]") { depth++; line(); }
      } else if (t === "}" || t === "]") {
        const before = tokens[i - 1]?.[0];
        if (before !== "{" && before !== "[") { depth--; line(); }
        out.append(t);
      } else if (t === ",") { out.append(t); line(); } else out.append(": ");
    });
    into.replaceChildren(out);
  };
  for (const pre of all("pre.json")) {
    pre.closest("details").addEventListener("toggle", () => pretty(pre.textContent, pre), { once: true });
  }

  // What a form says: the request that is sent, or, as an example, the one
  // that a command line shows.
  const request = (form, example) => {
    const r = { method: form.dataset.method, path: form.dataset.path, query: [], headers: [], cookies: [], body: "" };
    for (const field of form.elements) {
      const place = field.dataset.in;
      if (!place) continue;
      let value = field.value;
      if (!value && example && field.required) value = field.dataset.sample || field.name.toUpperCase();
      if (place === "path") r.path = r.path.replace("{" + field.name + "}", () => encodeURIComponent(value));
      else if (place === "body") r.body = value.trim();
      else if (!value) continue;
      else if (place === "query") r.query.push([field.name, value]);
      else if (place === "header") r.headers.push([field.name, value]);
      else r.cookies.push([field.name, value]);
    }
    return r;
  };
  const address = (r) => r.path + (r.query.length ? "?" + r.query.map((q) => q.map(encodeURIComponent).join("=")).join("&") : "");

  const quote = (s) => /^[A-Za-z0-9_./:@%+,=-]+$/.test(s) ? s : "'" + s.replaceAll("'", "'\\''") + "'";
  const curl = (form) => {
    const r = request(form, true);
    const options = r.headers.map(([name, value]) => "-H " + quote(name + ": " + value));
    options.push(...r.cookies.map(([name, value]) => "-b " + quote(name + "=" + value)));
    if (guard === "basic") options.push("-u USER:PASSWORD");
    else if (guard === "bearer") options.push("-H 'Authorization: Bearer TOKEN'");
    else if (guard && guardIn === "header") options.push("-H " + quote(guardName + ": KEY"));
    else if (guard && guardIn === "query") r.query.push([guardName, "KEY"]);
    else if (guard) options.push("-b " + quote(guardName + "=KEY"));
    if (r.body) options.push("-H 'Content-Type: application/json'", "-d " + quote(r.body));
    let command = "curl -sS";
    if (r.method !== "GET" && (r.method !== "POST" || !r.body)) command += " -X " + r.method;
    return [command + " " + quote(location.origin + address(r)), ...options].join(" \\\n  ");
  };

  const send = async (form) => {
    const r = request(form, false);
    const headers = new Headers(r.headers);
    if (guard === "basic") headers.set("Authorization", "Basic " + btoa(String.fromCharCode(...new TextEncoder().encode(user() + ":" + secret()))));
    else if (guard === "bearer") headers.set("Authorization", "Bearer " + secret());
    else if (guard && guardIn === "header") headers.set(guardName, secret());
    else if (guard && guardIn === "query") r.query.push([guardName, secret()]);
    const options = { method: r.method, headers, redirect: "manual", cache: "no-store", credentials: guardIn === "cookie" ? "same-origin" : "omit" };
    if (r.body && r.method !== "GET" && r.method !== "HEAD") {
      headers.set("Content-Type", "application/json");
      options.body = r.body;
    }
    const began = performance.now();
    const response = await fetch(address(r), options);
    const text = await response.text();
    return { response, text, took: Math.round(performance.now() - began) };
  };

  // Returns what a screen reader says of it.
  const show = (into, { response, text, took }) => {
    const status = make("p", undefined, "status");
    const code = response.type === "opaqueredirect" ? "redirect" : response.status + " " + response.statusText;
    status.append(make("b", code.trim(), response.ok ? "ok" : ""));
    const source = response.headers.get("Patchbay-Source");
    status.append(make("span", took + " ms" + (source ? ", from the " + source : ""), "type"));
    const headers = make("details", undefined, "headers");
    headers.append(make("summary", "Headers"), make("pre", [...response.headers].map(([name, value]) => name + ": " + value).join("\n")));
    const body = make("pre", undefined, "body");
    body.tabIndex = 0;
    body.setAttribute("aria-label", "Body of the answer");
    pretty(text, body);
    into.replaceChildren(status, headers, text ? body : make("p", "The answer has no body.", "type"));
    return "Answered " + code;
  };

  for (const form of all("form[data-method]")) {
    const command = document.getElementById(form.dataset.curl);
    const answer = document.getElementById(form.dataset.answer);
    const button = form.querySelector("[type=submit]");
    form.addEventListener("input", () => { command.textContent = curl(form); });
    if (base !== location.origin) command.textContent = curl(form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.ariaDisabled === "true") return;
      button.ariaDisabled = "true";
      try {
        said.textContent = show(answer, await send(form));
      } catch (e) {
        said.textContent = "The request did not reach the gateway: " + e.message;
        answer.replaceChildren(make("p", said.textContent));
      }
      answer.hidden = false;
      button.ariaDisabled = "false";
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
  }
  document.getElementById("caller")?.addEventListener("submit", (event) => event.preventDefault());
  for (const e of all("[data-origin]")) e.textContent = location.origin + e.dataset.origin;

  // Searching a catalogue: what has all the words stays.
  const search = document.getElementById("search");
  if (search) {
    const cards = all("[data-api]").map((card) => ({
      card, text: card.dataset.api.toLowerCase(),
      rows: all("[data-row]", card).map((row) => ({ row, text: row.textContent.toLowerCase() })),
    }));
    const count = document.getElementById("count");
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const has = (text) => words.every((word) => text.includes(word));
      let shown = 0;
      let operations = 0;
      for (const { card, text, rows } of cards) {
        const whole = has(text);
        let some = 0;
        for (const { row, text: own } of rows) {
          row.hidden = !(whole || has(text + " " + own));
          if (!row.hidden) some++;
        }
        card.hidden = !(whole || some);
        card.open = words.length > 0 && !whole && some > 0;
        if (!card.hidden) { shown++; operations += some; }
      }
      count.textContent = shown + (shown === 1 ? " API, " : " APIs, ") + operations + (operations === 1 ? " operation" : " operations");
    };
    search.addEventListener("input", filter);
    search.value = new URLSearchParams(location.search).get("q") ?? search.value;
    if (search.value) filter();
  }
})();
