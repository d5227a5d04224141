"use strict";
/* The page: draws charts of loaded parts, counts seconds, cancels, shows problems beside fields, and keeps the address. */
(() => {
  const root = document.documentElement;
  window.addEventListener("error", (event) => { root.dataset.error = event.message; });
  document.addEventListener("securitypolicyviolation", (event) => { root.dataset.blocked = `${event.violatedDirective} ${event.blockedURI}`; });

  const query = () => new URLSearchParams(window.location.search);
  const settings = JSON.parse(document.body.dataset.charts);
  const heat = settings.heats.findIndex((each) => each.key === query().get("heat"));
  const drawChart = twinCharts({ ...settings, heat: heat < 0 ? null : settings.heats[heat].key, linkAddress: (id) => withQuery({ view: "links", link: id }, ["year", "run", "of"]) });
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
  setInterval(() => parts().forEach((part) => {
    const seconds = part.querySelector("[data-seconds]");
    if (seconds) seconds.textContent = `${Math.floor((performance.now() - started.get(part)) / 1000)} s`;
  }), 1000);

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
    if ("copy" in button.dataset) {
      navigator.clipboard.writeText(window.location.href).then(
        () => { button.textContent = "Copied"; say("The address is copied."); },
        () => say("The browser did not copy. The address is in the address bar."),
      );
    }
  });
  document.body.addEventListener("htmx:sendError", (event) => {
    const part = event.detail.elt;
    if (!("cancelled" in part.dataset)) offerAgain(part, "The service does not answer.");
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const part = event.detail.target;
    part.setAttribute("aria-busy", "false");
    part.querySelectorAll("[data-chart]").forEach((place) => drawn.push(drawChart(place, place.dataset.kind, JSON.parse(place.dataset.chart))));
    part.querySelectorAll(".problem li[data-where]").forEach(showBeside);
    const slider = part.querySelector("#year");
    if (slider) yearsOf(part, slider);
    const first = part.querySelector("p, h3");
    say(`${title(part)}: ${first ? first.textContent : "ready"}`);
    root.dataset.drawn = String(drawn.length);
  });

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
    place.replaceChildren(box);
    list.querySelectorAll("li").forEach(showBeside);
  };
  const send = async (place, name, options) => {
    document.querySelectorAll("[data-field] > .error").forEach((each) => each.remove());
    let answer;
    try {
      answer = await fetch(`/v1/networks/${encodeURIComponent(name)}`, options);
    } catch {
      say("The service does not answer.");
      return false;
    }
    if (!answer.ok) showProblem(place, await answer.json());
    return answer.ok;
  };
  const upload = document.querySelector("form[data-put]");
  if (upload) {
    const result = upload.querySelector("[data-result]");
    upload.addEventListener("submit", async (event) => {
      event.preventDefault();
      const name = upload.querySelector("#upload-name").value;
      const [file] = upload.querySelector("#upload-file").files;
      if (await send(result, name, { method: "PUT", body: file })) window.location.assign(`/networks/${encodeURIComponent(name)}`);
    });
    document.querySelectorAll("button[data-delete]").forEach((button) => button.addEventListener("click", async () => {
      const name = button.dataset.delete;
      if (!window.confirm(`Delete ${name} with all its revisions?`)) return;
      if (await send(result, name, { method: "DELETE", headers: { "If-Match": `"${button.dataset.revision}"` } })) window.location.reload();
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
