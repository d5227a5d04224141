"use strict";
/* The page: draws charts of loaded parts, counts seconds, cancels, shows problems beside fields, and keeps the address. */
(() => {
  const root = document.documentElement;
  window.addEventListener("error", (event) => { root.dataset.error = event.message; });
  document.addEventListener("securitypolicyviolation", (event) => { root.dataset.blocked = `${event.violatedDirective} ${event.blockedURI}`; });

  const query = () => new URLSearchParams(window.location.search);
  const settings = JSON.parse(document.body.dataset.charts);
  const heat = settings.heats.findIndex((each) => each.key === query().get("heat"));
  const drawChart = twinCharts({ ...settings, heat: heat < 0 ? null : settings.heats[heat].key, linkAddress: (id) => withQuery({ view: "links", link: id }, ["year", "run", "of"]), askHeat: (key) => window.location.assign(withQuery({ heat: key })) });
  const drawn = [];

  const say = (text) => { document.getElementById("status").textContent = text; };

  /* The address of this page with other texts in its query. */
  const withQuery = (texts, dropped = []) => {
    const next = query();
    dropped.forEach((name) => next.delete(name));
    Object.entries(texts).forEach(([name, text]) => next.set(name, text));
    return `${window.location.pathname}?${next}`;
  };
  const keep = (name, text) => window.history.replaceState(null, "", withQuery({ [name]: text }));

  /* --- parts ------------------------------------------------------------------------------------------------ */
  const parts = () => [...document.querySelectorAll("[hx-get]")];
  const started = new Map(parts().map((part) => [part, performance.now()]));
  const waiting = new Map(parts().map((part) => [part, part.innerHTML]));
  const showSeconds = (part) => {
    const seconds = part.querySelector("[data-seconds]");
    if (seconds) seconds.textContent = `${Math.floor((performance.now() - started.get(part)) / 1000)} s`;
  };
  setInterval(() => parts().forEach(showSeconds), 1000);

  const title = (part) => part.parentElement.querySelector("h2").textContent;
  const offerAgain = (part, text) => {
    part.setAttribute("aria-busy", "false");
    part.replaceChildren();
    const line = document.createElement("p");
    line.textContent = `${text} `;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Run again";
    button.dataset.again = "";
    line.append(button);
    part.append(line);
    say(`${title(part)}: ${text}`);
  };
  const runAgain = (part) => {
    part.innerHTML = waiting.get(part);
    part.setAttribute("aria-busy", "true");
    started.set(part, performance.now());
    htmx.trigger(part, "again");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const part = button.closest("[hx-get]");
    if ("cancel" in button.dataset) {
      part.dataset.cancelled = "";
      htmx.trigger(part, "htmx:abort");
      offerAgain(part, "Cancelled.");
    }
    if ("again" in button.dataset) runAgain(part);
    if ("cancelRun" in button.dataset) cancelRun(button);
    if ("copy" in button.dataset) {
      navigator.clipboard.writeText(window.location.href).then(
        () => { button.textContent = "Copied"; say("The address is copied."); },
        () => say("The browser did not copy. The address is in the address bar."),
      );
    }
  });
  /* A refusal of the service itself is a problem document, not HTML. */
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (!(xhr.getResponseHeader("Content-Type") || "").startsWith("application/problem")) return;
    event.detail.shouldSwap = false;
    target.setAttribute("aria-busy", "false");
    showProblem(target, JSON.parse(xhr.responseText));
    say(`${title(target)}: ${target.textContent}`);
  });
  document.body.addEventListener("htmx:sendError", (event) => {
    const part = event.detail.elt;
    if (!("cancelled" in part.dataset)) offerAgain(part, "The service does not answer.");
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const part = event.detail.target;
    const run = part.querySelector("[data-run]");
    if (run) {
      follow(part, run);
      return;
    }
    part.setAttribute("aria-busy", "false");
    part.querySelectorAll("[data-chart]").forEach((place) => drawn.push(drawChart(place, place.dataset.kind, JSON.parse(place.dataset.chart))));
    part.querySelectorAll(".problem li[data-where]").forEach(showBeside);
    const slider = part.querySelector("#year");
    if (slider) yearsOf(part, slider);
    const first = part.querySelector("p, h3");
    say(`${title(part)}: ${first ? first.textContent : "ready"}`);
    root.dataset.drawn = String(drawn.length);
  });

  /* --- runs: long questions that are computed in the background ------------------------------------------------- */
  const counts = (n) => n.toLocaleString("en");
  const showProgress = (place, run) => {
    const bar = place.querySelector("progress");
    const text = place.querySelector("[data-progress]");
    const share = run.n_items ? Math.min(run.n_done / run.n_items, 1) : null;
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    const what = run.state === "queued" ? "Waiting: other questions run first" : "Computing";
    text.textContent = share === null ? what : `${counts(run.n_done)} of ${counts(run.n_items)} ${place.dataset.items}, ${Math.floor(share * 100)} %`;
    return share;
  };
  /* Follow a run by its events; its end loads the part again, which then has the answer. */
  const follow = (part, place) => {
    let told = -1;
    const events = new EventSource(`/v1/runs/${place.dataset.run}/events`);
    const finish = () => {
      events.close();
      htmx.ajax("GET", place.dataset.address, { target: part, swap: "innerHTML" });
    };
    const heard = (event) => {
      const run = JSON.parse(event.data);
      const share = showProgress(place, run);
      const quarter = share === null ? 0 : Math.floor(share * 4);
      if (quarter > told) say(`${title(part)}: ${place.querySelector("[data-progress]").textContent}`);
      told = Math.max(told, quarter);
    };
    events.addEventListener("progress", heard);
    events.addEventListener("end", finish);
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) setTimeout(finish, 2000); // too many followers, or the service restarts
    });
    window.addEventListener("pagehide", () => events.close());
    showSeconds(part);
    say(`${title(part)}: computing`);
  };
  const cancelRun = async (button) => {
    const place = button.closest("[data-run]");
    button.disabled = true;
    const answer = await fetch(`/v1/runs/${place.dataset.run}/cancel`, { method: "POST" }).catch(() => null);
    if (answer && answer.ok) {
      place.querySelector("[data-progress]").textContent = "Cancelling";
      return;
    }
    button.disabled = false;
    button.after(answer ? ` ${(await answer.json()).detail}` : " The service does not answer.");
  };

  /* --- problems beside the fields that they are about ---------------------------------------------------------- */
  const showBeside = (row) => {
    const where = row.dataset.where;
    const field = [...document.querySelectorAll("[data-field]")].find((each) => each.dataset.field === where);
    if (!field) return;
    const note = document.createElement("p");
    note.className = "error";
    note.id = `problem-${where}`;
    note.textContent = row.textContent;
    field.append(note);
    const input = field.querySelector("input, select, textarea");
    if (!input) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") || ""} ${note.id}`.trim());
    const folded = field.closest("details");
    if (folded) folded.open = true;
  };

  /* --- stored networks ----------------------------------------------------------------------------------------- */
  const ended = (text) => (/[.?!]$/.test(text) ? text : `${text}.`);
  const showProblem = (place, problem) => {
    const box = document.createElement("div");
    box.className = "problem";
    const heading = document.createElement("h3");
    heading.textContent = problem.title;
    const list = document.createElement("ul");
    (problem.issues.length ? problem.issues : [{ where: "", problem: problem.detail, hint: "" }]).forEach((issue) => {
      const row = document.createElement("li");
      row.dataset.where = issue.where;
      row.textContent = `${issue.where}${issue.where ? ": " : ""}${ended(issue.problem)}${issue.hint ? ` ${issue.hint[0].toUpperCase()}${ended(issue.hint.slice(1))}` : ""}`;
      list.append(row);
    });
    box.append(heading, list);
    const isTold = problem.expected.length > 200 && problem.issues.some((issue) => issue.hint.startsWith("did you mean"));
    if (problem.expected && !isTold) box.append(Object.assign(document.createElement("p"), { textContent: ended(`Expected ${problem.expected}`), className: "hint" }));
    place.replaceChildren(box);
    list.querySelectorAll("li").forEach(showBeside);
  };
  const shown = (lists, report) => {
    const parts = report.summary.map((line) => Object.assign(document.createElement("p"), { textContent: line }));
    lists.filter(([, key]) => report[key].length).forEach(([heading, key, fields]) => {
      const placed = report[key].some((row) => (row.places || []).length);
      const rows = report[key].map((row) => [...fields.map(([name]) => String(row[name] ?? "")), counts(row.n), ...(placed ? [(row.places || []).join("; ")] : [])]);
      const headings = [...fields.map(([, label]) => label), "times", ...(placed ? ["first at"] : [])];
      const box = document.createElement("div");
      box.className = "wide";
      box.append(drawChart.table(heading, headings, rows));
      parts.push(box);
    });
    return parts;
  };
  /* Show the report of an import, and the way to the network that was stored. */
  const showImport = (place, lists, { network, report }) => {
    const heading = Object.assign(document.createElement("h3"), { textContent: `Imported as ${network.name}`, tabIndex: -1 });
    const open = Object.assign(document.createElement("a"), { textContent: `Open ${network.name}`, href: `/networks/${encodeURIComponent(network.name)}`, className: "button" });
    const line = document.createElement("p");
    line.append(open);
    place.replaceChildren(heading, line, ...shown(lists, report));
    heading.focus();
  };
  const FOREIGN = { where: "kind", problem: "this is no document of the twin", hint: "if it is a file of another tool, choose “of another tool: recognise it”" };
  /* A problem with a sentence about the kind of file, if it is about the whole file or one that no document has the name of. */
  const withKind = (endings, name, file, problem) => {
    const isWhole = problem.issues.some((issue) => issue.where === name) || !endings.some((ending) => file.name.toLowerCase().endsWith(ending));
    return isWhole && problem.status === 422 ? { ...problem, issues: [...problem.issues, FOREIGN] } : problem;
  };
  const send = async (place, address, options, explained = (problem) => problem) => {
    document.querySelectorAll("[data-field] > .error").forEach((each) => each.remove());
    let answer;
    try {
      answer = await fetch(address, options);
    } catch {
      place.textContent = "The service does not answer.";
      return null;
    }
    if (answer.ok) return answer;
    showProblem(place, explained(await answer.json()));
    return null;
  };
  const networkAddress = (name) => `/v1/networks/${encodeURIComponent(name)}`;
  const importAddress = (kind, name, file) => {
    const texts = new URLSearchParams({ filename: file.name, store: name });
    document.querySelectorAll("[data-option]").forEach((input) => input.value.split("\n").map((line) => line.trim()).filter(Boolean).forEach((line) => texts.append(input.dataset.option, line)));
    return `/v1/import/${encodeURIComponent(kind)}?${texts}`;
  };
  const upload = document.querySelector("form[data-put]");
  if (upload) {
    const result = upload.querySelector("[data-result]");
    upload.addEventListener("submit", async (event) => {
      event.preventDefault();
      const name = upload.querySelector("#upload-name").value;
      const [file] = upload.querySelector("#upload-file").files;
      const kind = upload.querySelector("#upload-kind").value;
      result.textContent = "Sending";
      if (!kind) {
        const explained = (problem) => withKind(JSON.parse(upload.dataset.endings), name, file, problem);
        if (await send(result, networkAddress(name), { method: "PUT", body: file }, explained)) window.location.assign(`/networks/${encodeURIComponent(name)}`);
        return;
      }
      const answer = await send(result, importAddress(kind, name, file), { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
      if (answer) showImport(result, JSON.parse(upload.dataset.lists), await answer.json());
    });
    upload.querySelector("#upload-file").addEventListener("change", (event) => {
      const name = upload.querySelector("#upload-name");
      const [file] = event.target.files;
      if (file && !name.value) name.value = file.name.toLowerCase().replace(/\.[^.]*$/, "").replace(/[^a-z0-9._-]+/g, "-").slice(0, 64);
    });
    document.querySelectorAll("button[data-delete]").forEach((button) => button.addEventListener("click", async () => {
      const name = button.dataset.delete;
      if (!window.confirm(`Delete ${name} with all its revisions?`)) return;
      if (await send(result, networkAddress(name), { method: "DELETE", headers: { "If-Match": `"${button.dataset.revision}"` } })) window.location.reload();
    }));
  }

  /* --- the year of a forecast ---------------------------------------------------------------------------------- */
  const yearsOf = (part, slider) => {
    const place = part.querySelector('[data-kind="forecast"]');
    const [state] = JSON.parse(place.dataset.chart);
    const table = part.querySelector("[data-year-table]");
    const chart = drawn.find((each) => each.place === place);
    const start = state.as_of ? Number(state.as_of.slice(0, 4)) : 0;
    const cases = [["low", "optimistic"], ["value", "central"], ["high", "pessimistic"]];
    const show = () => {
      const index = state.years.indexOf(Number(slider.value));
      const year = start + state.years[index];
      document.getElementById("year-now").textContent = start ? `${year}, ${state.years[index]} years from now` : `year ${year}`;
      const rows = state.links.map((link) => [
        link.n_alike > 1 ? `${link.id} and ${link.n_alike - 1} alike` : link.id,
        ...cases.map(([key]) => drawChart.figure("dB", link.cases[key].margin_db[index])),
        ...cases.map(([key]) => drawChart.figure("ratio", link.cases[key].utilisation_ratio[index])),
      ]);
      const headings = ["link", ...cases.map(([, name]) => `margin, ${name}`), ...cases.map(([, name]) => `utilisation, ${name}`)];
      table.replaceChildren(drawChart.table(`Links in ${year}`, headings, rows));
      if (chart) chart.mark(year);
    };
    slider.addEventListener("input", show);
    slider.addEventListener("change", () => keep("year", slider.value));
    show();
  };

  /* --- the address keeps what is chosen above a chart ---------------------------------------------------------- */
  document.addEventListener("twin:choice", (event) => keep(event.detail.name, event.detail.value));

  const redraw = () => drawn.forEach((each) => { each.chart.resize(); each.draw(); });
  window.addEventListener("resize", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("beforeprint", redraw);
  const invalid = document.querySelector("[aria-invalid='true'], form .error");
  if (invalid && invalid.focus) invalid.focus();
})();
