window.addEventListener("error", (event) => { document.documentElement.dataset.error = event.message; });
document.addEventListener("securitypolicyviolation", (event) => { document.documentElement.dataset.blocked = event.blockedURI; });
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const drawChart = twinCharts(report);
  const drawn = report.charts.map((chart) => drawChart(document.getElementById(chart.id), chart.kind, chart.data));
  const redraw = () => drawn.forEach((each) => { each.chart.resize(); each.draw(); });
  window.addEventListener("resize", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const closed = () => [...document.querySelectorAll("details[data-prints]:not([open])")];
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = closed();
    opened.forEach((each) => { each.open = true; });
    redraw();
  });
  window.addEventListener("afterprint", () => { opened.forEach((each) => { each.open = false; }); });
  document.documentElement.dataset.drawn = String(drawn.length);
})();
