"use strict";
/* Returns a function that draws charts.
   settings: heats and colours; `renderer` of ECharts; `heat`, the key of the heat at the start;
   `linkAddress`, a function that returns the address of the report of a link;
   `askHeat`, a function that asks for a heat that no line has yet: those that need failures. */
const twinCharts = (settings) => {
  const report = { renderer: "svg", heat: null, linkAddress: null, askHeat: null, ...settings };
  const css = (name) => (report.renderer === "svg" ? `var(${name})` : getComputedStyle(document.documentElement).getPropertyValue(name).trim()); // SVG follows the theme, on paper too
  const digits = (value, n = 3) => Number(value.toPrecision(n)).toLocaleString("en", { maximumFractionDigits: 6 });
  const percent = (ratio) => (ratio >= 100 ? `${digits(ratio)} times` : `${digits(ratio * 100)} %`);
  const seconds = (value) => (Math.abs(value) < 1 ? `${digits(value * 1e3)} ms` : `${digits(value)} s`);
  const rate = (gbps) => (gbps === null ? "unknown" : gbps >= 1e4 ? `${digits(gbps / 1e3, 4)} Tb/s` : `${digits(gbps, 4)} Gb/s`);
  const usd = (value) => {
    const [size, letter] = [[1e9, "B"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([each]) => Math.abs(value) >= each) || [1, ""];
    return `${value < 0 ? "−" : ""}$${digits(Math.abs(value) / size)}${letter}`;
  };
  const figure = (unit, value) => {
    if (value === null || value === undefined) return "–";
    return unit === "ratio" || unit === "1" ? percent(value) : unit === "s" ? seconds(value) : unit === "USD" ? usd(value) : `${digits(value)} ${unit}`;
  };
  const counted = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
  const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => escapes[sign]);

  const element = (tag, text, parent) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  /* A menu above a chart. `choose` is called with the index of the choice. */
  const menu = (controls, label, names, choose, start = 0) => {
    if (names.length < 2) return;
    const holder = element("label", `${label} `, controls);
    const select = element("select", "", holder);
    names.forEach((name, i) => { element("option", name, select).value = i; });
    select.value = start;
    select.addEventListener("change", () => choose(Number(select.value)));
  };
  const controlsOf = (place) => {
    const controls = document.createElement("div");
    controls.className = "controls";
    place.parentElement.prepend(controls);
    return controls;
  };

  const colourOf = (heat, line) => {
    if (line.n_down === line.n_links) return report.down;
    const value = line[heat.key];
    if (value === null || value === undefined) return report.no_value;
    const above = heat.steps.filter((step) => value >= step).length;
    return report.colours[heat.higher_is_worse ? above : heat.steps.length - above];
  };
  const legendOf = (place, heat) => {
    let legend = place.parentElement.querySelector(".legend");
    if (!legend) {
      legend = document.createElement("div");
      legend.className = "legend";
      place.after(legend);
    }
    legend.replaceChildren();
    element("b", heat.label, legend);
    [...heat.labels.map((label, i) => [label, report.colours[i]]), ["no value", report.no_value], ["down", report.down]].forEach(([label, colour]) => {
      element("span", label, legend).style.setProperty("--colour", colour);
    });
  };
  const usableHeats = (lines) => report.heats.filter((heat) => lines.some((line) => line[heat.key] !== null && line[heat.key] !== undefined));
  const lineText = (line) => [
    `<b>${escaped(line.source)} – ${escaped(line.target)}</b>`,
    `${counted(line.n_links, "link")}${line.n_down ? `, ${line.n_down.toLocaleString("en")} down` : ""}, ${rate(line.capacity_gbps)}`,
    ...report.heats.filter((heat) => line[heat.key] !== null && line[heat.key] !== undefined).map((heat) => `${heat.label} ${figure(heat.unit, line[heat.key])}`),
  ].join("<br>");

  const base = () => ({
    animation: false,
    textStyle: { color: css("--text"), fontFamily: "system-ui, DejaVu Sans, sans-serif" },
    aria: { enabled: false },
    tooltip: { confine: true },
  });
  const axisStyle = () => ({
    axisLabel: { color: css("--quiet") },
    axisLine: { lineStyle: { color: css("--line") } },
    splitLine: { lineStyle: { color: css("--line") } },
    nameTextStyle: { color: css("--quiet") },
  });

  /* Positions in pixels of a box, so that marks keep their shape. `keepShape`: both axes have the same scale. */
  const fitted = (places, box, keepShape) => {
    const range = (axis) => [Math.min(...places.map((each) => each[axis])), Math.max(...places.map((each) => each[axis]))];
    const [[left, right], [top, bottom]] = [range("x"), range("y")];
    let [scaleX, scaleY] = [box.width / (right - left || 1), box.height / (bottom - top || 1)];
    if (keepShape) scaleX = scaleY = Math.min(scaleX, scaleY);
    const at = (value, low, high, scale, size) => (high > low ? size / 2 + (value - (low + high) / 2) * scale : size / 2);
    const corner = (x, y) => ({ name: `corner ${x} ${y}`, x, y, symbolSize: 0, label: { show: false }, tooltip: { show: false } });
    return [
      ...places.map((each) => ({ ...each, x: at(each.x, left, right, scaleX, box.width), y: at(each.y, top, bottom, scaleY, box.height) })),
      corner(0, 0), corner(box.width, box.height),
    ];
  };

  /* Nodes at given places, lines between them with colours by heat: the drawing by tier and the map. */
  const network = (place, states, placesOf, linesOf, keepShape, select) => {
    const chart = echarts.init(place, null, { renderer: report.renderer });
    const controls = controlsOf(place);
    let state = 0;
    const heats = usableHeats(states.flatMap(linesOf));
    let heat = Math.max(heats.findIndex((each) => each.key === report.heat), 0);
    const draw = () => {
      const chosen = heats[heat] || report.heats[0];
      const narrow = place.clientWidth < 560;
      const side = narrow ? 38 : 100;
      const font = { fontSize: narrow ? 9 : 11, lineHeight: narrow ? 11 : 13 };
      chart.dispatchAction({ type: "hideTip" }); // ECharts would show it again for another mark of the same index
      const box = { left: side, top: 50, width: place.clientWidth - 2 * side, height: place.clientHeight - 110 };
      const marks = fitted(placesOf(states[state]), box, keepShape).map((each) => (narrow ? { ...each, symbolSize: each.symbolSize * 0.65 } : each));
      const lines = linesOf(states[state]).map((line) => ({ ...line, bend: Math.sign(line.bend_ratio || 0) * Math.min(0.2, 70 / place.clientWidth) }));
      const markOf = Object.fromEntries(marks.map((each) => [each.name, each]));
      const labels = twinLabels(
        marks.slice(0, -2).map((each) => ({ x: box.left + each.x, y: box.top + each.y, size: each.symbolSize, text: each.text })),
        lines.flatMap((line) => twinLinePieces(markOf[line.source], markOf[line.target], line.bend)).map(([x, y, toX, toY]) => [box.left + x, box.top + y, box.left + toX, box.top + toY]),
        { width: place.clientWidth, height: place.clientHeight }, { ...font, fontFamily: base().textStyle.fontFamily, maxWidth: narrow ? 62 : 150 },
      );
      chart.setOption({
        ...base(),
        series: [{
          type: "graph", layout: "none", coordinateSystem: null, roam: placesOf(states[state]).length > 60 || report.renderer === "svg", scaleLimit: { min: 0.5, max: 20 },
          left: box.left, top: box.top, width: box.width, height: box.height,
          label: { show: true, position: "inside", verticalAlign: "middle", color: css("--text"), ...font, backgroundColor: css("--panel"), padding: [0, 2] },
          labelLayout: ({ dataIndex }) => ({ dx: labels[dataIndex] ? labels[dataIndex].shift[0] : 0, dy: labels[dataIndex] ? labels[dataIndex].shift[1] : 0, hideOverlap: true }),
          data: marks.map((each, i) => (labels[i] ? { ...each, label: { formatter: labels[i].text, align: labels[i].align } } : each)),
          links: lines.map((line) => ({
            source: line.source, target: line.target, line,
            lineStyle: {
              color: colourOf(chosen, line), width: 1.5 + Math.log10(1 + line.n_links), opacity: 1,
              type: line.n_down ? "dashed" : "solid", curveness: line.bend,
            },
          })),
          emphasis: { disabled: true },
        }],
        tooltip: { confine: true, formatter: (item) => (item.data.line ? lineText(item.data.line) : escaped(item.data.about || item.name)) },
      }, true);
      legendOf(place, chosen);
    };
    menu(controls, "Show", states.map((each) => each.name), (i) => { state = i; draw(); });
    const unasked = report.askHeat ? report.heats.filter((each) => each.key.includes("failure") && !heats.includes(each)) : [];
    menu(controls, "Colour by", [...heats.map((each) => each.label), ...unasked.map((each) => `${each.label} (computes each)`)], (i) => {
      if (i >= heats.length) {
        report.askHeat(unasked[i - heats.length].key);
        return;
      }
      heat = i;
      draw();
      place.dispatchEvent(new CustomEvent("twin:choice", { bubbles: true, detail: { name: "heat", value: heats[i].key } }));
    }, heat);
    if (select) chart.on("click", (item) => { if (item.dataType === "edge") select(item.data.line); });
    draw();
    return { chart, draw, state: () => states[state] };
  };

  const tableOf = (caption, headings, rows) => {
    const table = element("table", "");
    element("caption", caption, table);
    const head = element("tr", "", element("thead", "", table));
    headings.forEach((name) => { element("th", name, head).scope = "col"; });
    const body = element("tbody", "", table);
    rows.forEach((cells) => {
      const row = element("tr", "", body);
      cells.forEach((cell) => { if (cell instanceof Node) element("td", "", row).append(cell); else element("td", cell, row); });
    });
    return table;
  };
  const linksTo = (ids) => {
    const all = document.createDocumentFragment();
    ids.forEach((id, i) => {
      if (i) all.append(", ");
      element("a", id, all).href = report.linkAddress(id);
    });
    return all;
  };

  /* The classes of equal links of a line, as a table under the drawing. */
  const drillDown = (place) => {
    const detail = document.createElement("div");
    detail.className = "detail wide";
    detail.setAttribute("aria-live", "polite");
    detail.setAttribute("role", "region");
    detail.setAttribute("aria-label", "Links of the selected line");
    place.parentElement.append(detail);
    return (line) => {
      const caption = `${line.source} – ${line.target}: ${counted(line.n_classes, "kind", "kinds")} of equal links`;
      const headings = ["links", "for example", "members", "capacity", "utilisation", "margin", "age"];
      detail.replaceChildren(tableOf(caption, headings, line.classes.map((each) => [
        each.n_links.toLocaleString("en"), report.linkAddress ? linksTo(each.examples) : each.examples.join(", "),
        `${each.n_members}${each.up ? "" : ", down"}`, rate(each.capacity_gbps),
        figure("ratio", each.utilisation_ratio), figure("dB", each.margin_db), figure("years", each.age_years),
      ])));
    };
  };

  const symbols = { rack: "rect", host: "rect", storage: "diamond", border: "triangle" };
  const kinds = {
    drawing: (place, states) => network(
      place, states,
      (state) => state.places.map((each) => ({
        name: each.id, x: each.x_ratio * 1000, y: (1 - each.y_ratio) * 500,
        symbol: symbols[each.kind] || "circle", symbolSize: 16,
        itemStyle: { color: each.n_down ? "#f2b8a8" : css("--page"), borderColor: css("--text"), borderWidth: 1.2 },
        about: `${each.id}: ${each.n_nodes.toLocaleString("en")} × ${each.kind}${each.n_accelerators ? `, ${each.n_accelerators.toLocaleString("en")} accelerators` : ""}${each.n_down ? `, ${each.n_down} down` : ""}`,
        text: each.n_nodes > 1 ? `${each.id}\n× ${each.n_nodes.toLocaleString("en")}` : each.id,
      })),
      (state) => state.lines, false, drillDown(place),
    ),
    map: (place, data) => {
      const middle = data.sites.reduce((sum, site) => sum + site.latitude_deg, 0) / data.sites.length;
      const west = data.sites[0].longitude_deg;
      const east = (site) => ((site.longitude_deg - west + 540) % 360) - 180;
      const points = data.sites.map((site) => ({
        name: site.id, text: site.id, x: east(site) * Math.cos((middle * Math.PI) / 180), y: -site.latitude_deg, symbolSize: 18,
        itemStyle: { color: css("--page"), borderColor: css("--text"), borderWidth: 1.5 },
        about: `${site.id}: ${site.n_nodes.toLocaleString("en")} nodes, ${site.n_accelerators.toLocaleString("en")} accelerators`,
      }));
      return network(place, data.states, () => points, (state) => state.routes, true);
    },
    plans: (place, data) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const rows = [...data.rows].reverse();
      const draw = () => chart.setOption({
        ...base(), grid: { left: 10, right: 90, top: 30, bottom: 30, containLabel: true },
        xAxis: { type: "value", name: data.label, nameLocation: "middle", nameGap: 26, ...axisStyle() },
        yAxis: { type: "category", data: rows.map((row) => row.name), ...axisStyle() },
        series: [{
          type: "bar", barMaxWidth: 26,
          data: rows.map((row) => ({ value: row.value, itemStyle: { color: row.name === data.rows[0].name ? "#8b8b8b" : "#2f7fb8" } })),
          label: { show: true, position: "right", color: css("--text"), formatter: (item) => figure(data.unit, rows[item.dataIndex].value) + (rows[item.dataIndex].usd ? `, ${usd(rows[item.dataIndex].usd)}` : "") },
        }],
      }, true);
      draw();
      return { chart, draw };
    },
    causes: (place, states) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const controls = controlsOf(place);
      let state = 0;
      const draw = () => {
        const each = states[state];
        const causes = each.causes.filter((cause) => Math.abs(cause.share_s) >= 1e-4 * each.step_time_s);
        const bars = [["step", 0, each.step_time_s, "#1f4e79"]];
        let level = each.step_time_s;
        causes.forEach((cause) => {
          bars.push([cause.name, Math.min(level, level - cause.share_s), Math.abs(cause.share_s), cause.share_s > 0 ? "#c8553d" : "#5b9f6d", cause.share_s]);
          level -= cause.share_s;
        });
        bars.push(["without any of them", 0, each.ideal_step_time_s, "#5b9f6d"]);
        bars.reverse();
        chart.setOption({
          ...base(), grid: { left: 10, right: 90, top: 20, bottom: 40, containLabel: true },
          xAxis: { type: "value", name: "step time, s", nameLocation: "middle", nameGap: 26, ...axisStyle() },
          yAxis: { type: "category", data: bars.map((bar) => bar[0]), ...axisStyle() },
          series: [
            { type: "bar", stack: "all", itemStyle: { color: "transparent" }, data: bars.map((bar) => bar[1]), silent: true, tooltip: { show: false } },
            {
              type: "bar", stack: "all", barMaxWidth: 26, data: bars.map((bar) => ({ value: bar[2], itemStyle: { color: bar[3] } })),
              label: { show: true, position: "right", color: css("--text"), formatter: (item) => seconds(bars[item.dataIndex][4] ?? bars[item.dataIndex][2]) },
            },
          ],
        }, true);
      };
      menu(controls, "Show", states.map((each) => each.name), (i) => { state = i; draw(); });
      draw();
      return { chart, draw };
    },
    forecast: (place, states) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const controls = controlsOf(place);
      const cases = [["value", "central"], ["low", "optimistic"], ["high", "pessimistic"]];
      let [state, ageing, marked] = [0, 0, null];
      const has = (key) => states.some((each) => each.links.some((link) => Object.values(link.cases).some((row) => row[key].some((value) => (key === "margin_db" ? value !== null : value)))));
      const panels = [["margin_db", "margin, dB"], ["utilisation_ratio", "utilisation"]].filter(([key]) => has(key));
      const draw = () => {
        const each = states[state];
        const start = each.as_of ? Number(each.as_of.slice(0, 4)) + (Number(each.as_of.slice(5, 7)) - 1) / 12 : 0;
        const series = [];
        panels.forEach(([key], panel) => each.links.forEach((link) => {
          const values = link.cases[cases[ageing][0]][key];
          if (values.every((value) => value === null)) return;
          series.push({
            type: "line", name: link.id, xAxisIndex: panel, yAxisIndex: panel, symbol: "none", connectNulls: false,
            data: values.map((value, i) => [start + each.years[i], value]),
          });
          if (series.filter((line) => line.xAxisIndex === panel).length === 1) {
            series[series.length - 1].markLine = { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: "#a31621", type: "dashed" }, data: [{ yAxis: key === "margin_db" ? 0 : 1 }] };
          }
        }));
        if (marked !== null) {
          panels.forEach((_, panel) => series.push({
            type: "line", data: [], xAxisIndex: panel, yAxisIndex: panel,
            markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: css("--text"), type: "solid" }, data: [{ xAxis: marked }] },
          }));
        }
        const x = { type: "value", min: start, max: start + each.years[each.years.length - 1], ...axisStyle(), axisLabel: { color: css("--quiet"), formatter: (value) => (start ? String(Math.floor(value)) : `${value}`) }, ...(start ? {} : { name: "years from now", nameLocation: "middle", nameGap: 22 }) };
        chart.setOption({
          ...base(), tooltip: { confine: true, trigger: "item", formatter: (item) => `${escaped(item.seriesName)}: ${digits(item.data[1])}` },
          legend: { type: "scroll", bottom: 0, textStyle: { color: css("--text") } },
          grid: panels.length > 1 ? [{ left: 64, right: 24, top: 30, height: "33%" }, { left: 64, right: 24, top: "54%", height: "30%" }] : [{ left: 64, right: 24, top: 30, bottom: 80 }],
          xAxis: panels.map((_, i) => ({ ...x, gridIndex: i })),
          yAxis: panels.map(([key, name], i) => ({
            type: "value", gridIndex: i, name, nameLocation: "end", ...axisStyle(), nameTextStyle: { align: "left", color: css("--quiet") },
            ...(key === "margin_db" ? {} : { max: 1.5, axisLabel: { color: css("--quiet"), formatter: (value) => (value >= 1.5 ? "150 %" : percent(value)) } }),
          })),
          series,
        }, true);
      };
      menu(controls, "Show", states.map((each) => each.name), (i) => { state = i; draw(); });
      menu(controls, "Ageing", cases.map((each) => each[1]), (i) => { ageing = i; draw(); });
      draw();
      return { chart, draw, mark: (year) => { marked = year; draw(); } };
    },
    intervals: (place, data) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const rows = data.rows.filter((row) => row.p50 !== null).reverse();
      const draw = () => chart.setOption({
        ...base(), grid: { left: 10, right: 64, top: 20, bottom: 20, containLabel: true },
        xAxis: { type: "value", scale: true, ...axisStyle(), axisLabel: { color: css("--quiet"), hideOverlap: true, formatter: (value) => figure(data.unit, value) } },
        yAxis: { type: "category", data: rows.map((row) => row.name), ...axisStyle() },
        tooltip: { confine: true, formatter: (item) => { const row = rows[item.dataIndex]; return `${escaped(row.name)}: ${["p10", "p50", "p90"].map((key) => `${key} ${figure(data.unit, row[key])}`).join(", ")}`; } },
        series: [
          {
            type: "custom", encode: { x: [0, 1], y: 2 }, data: rows.map((row, i) => [row.p10, row.p90, i]),
            renderItem: (_, api) => {
              const [from, to] = [api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)])];
              return { type: "rect", shape: { x: from[0], y: from[1] - 7, width: Math.max(to[0] - from[0], 2), height: 14 }, style: { fill: "#7fb2d9" } };
            },
          },
          { type: "scatter", symbol: "rect", symbolSize: [3, 20], itemStyle: { color: css("--text") }, data: rows.map((row, i) => [row.p50, i]) },
        ],
      }, true);
      draw();
      return { chart, draw };
    },
    tornado: (place, data) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const rows = [...data.rows].reverse();
      const draw = () => chart.setOption({
        ...base(), grid: { left: 10, right: 64, top: 20, bottom: 20, containLabel: true },
        xAxis: { type: "value", scale: true, ...axisStyle(), axisLabel: { color: css("--quiet"), hideOverlap: true, formatter: (value) => figure(data.unit, value) } },
        yAxis: { type: "category", data: rows.map((row) => row.label + (row.flips ? " *" : "")), ...axisStyle(), axisLabel: { color: css("--text"), width: place.clientWidth < 560 ? 110 : 260, overflow: "break" } },
        tooltip: { confine: true, formatter: (item) => { const row = rows[item.dataIndex]; return `${escaped(row.label)}: ${figure(data.unit, row.low)} at the low end, ${figure(data.unit, row.high)} at the high end${row.flips ? "; another plan is best then" : ""}`; } },
        series: [["low", "#7fb2d9"], ["high", "#2f7fb8"]].map(([key, colour]) => ({
          type: "custom", encode: { x: 0, y: 1 }, data: rows.map((row, i) => [row[key], i]),
          markLine: key === "low" ? { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: css("--text"), type: "solid" }, data: [{ xAxis: data.middle }] } : undefined,
          renderItem: (_, api) => {
            const [from, to] = [api.coord([data.middle, api.value(1)]), api.coord([api.value(0), api.value(1)])];
            return { type: "rect", shape: { x: Math.min(from[0], to[0]), y: from[1] - 8, width: Math.abs(to[0] - from[0]), height: 16 }, style: { fill: colour } };
          },
        })),
      }, true);
      draw();
      return { chart, draw };
    },
    pareto: (place, data) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const points = [...data.points].sort((a, b) => a.usd - b.usd);
      const draw = () => chart.setOption({
        ...base(), grid: { left: 20, right: 50, top: 40, bottom: 40, containLabel: true },
        xAxis: { type: "value", name: "purchases", nameLocation: "middle", nameGap: 28, ...axisStyle(), axisLabel: { color: css("--quiet"), hideOverlap: true, formatter: usd } },
        yAxis: { type: "value", scale: true, name: data.label, ...axisStyle(), nameTextStyle: { align: "left", color: css("--quiet") }, axisLabel: { color: css("--quiet"), formatter: (value) => figure(data.unit, value) } },
        tooltip: { confine: true, formatter: (item) => (points[item.dataIndex] ? `${escaped(points[item.dataIndex].name)}: ${usd(points[item.dataIndex].usd)}, ${figure(data.unit, points[item.dataIndex].value)}` : "") },
        series: [
          { type: "line", step: "end", symbolSize: 9, color: "#2f7fb8", data: points.map((point) => [point.usd, point.value]) },
          { type: "scatter", symbolSize: 16, silent: true, itemStyle: { color: "transparent", borderColor: "#a31621", borderWidth: 2.5 }, data: data.chosen && data.chosen.usd !== null && data.chosen.value !== null ? [[data.chosen.usd, data.chosen.value]] : [] },
        ],
      }, true);
      draw();
      return { chart, draw };
    },
    failures: (place, all) => {
      const chart = echarts.init(place, null, { renderer: report.renderer });
      const rows = [...all].reverse();
      const draw = () => chart.setOption({
        ...base(), grid: { left: 10, right: 60, top: 30, bottom: 30, containLabel: true }, legend: { top: 0, textStyle: { color: css("--text") } },
        xAxis: { type: "value", name: "Gb/s", ...axisStyle() },
        yAxis: { type: "category", data: rows.map((row) => row.id), ...axisStyle(), axisLabel: { color: css("--text"), width: 160, overflow: "truncate" } },
        series: [
          { type: "bar", stack: "all", name: "no path", barMaxWidth: 22, itemStyle: { color: "#c8553d" }, data: rows.map((row) => row.lost_gbps) },
          { type: "bar", stack: "all", name: "full links", barMaxWidth: 22, itemStyle: { color: "#d99a4e" }, data: rows.map((row) => row.not_carried_gbps) },
        ],
      }, true);
      draw();
      return { chart, draw };
    },
  };

  /* Draw a chart in a place. Returns the place, the chart of ECharts and a function that draws it again. */
  const drawChart = (place, kind, data) => {
    place.style.height = `${place.dataset.heightPx}px`;
    return { place, ...kinds[kind](place, data) };
  };
  return Object.assign(drawChart, { figure, table: tableOf });
};
