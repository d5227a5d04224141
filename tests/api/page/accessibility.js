/* Returns what keeps readers with a keyboard or a screen reader from using the page, as texts. */
() => {
  const found = [];
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest("datalist");
  const told = (each) => `${each.tagName.toLowerCase()} ${(each.id || each.className || each.textContent).toString().slice(0, 40)}`;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  const nameOf = (each) => [
    each.getAttribute("aria-label"),
    ...(each.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent),
    ...[...(each.labels || [])].map((label) => label.textContent),
    /^(A|BUTTON|SUMMARY)$/.test(each.tagName) ? each.textContent : "",
  ].join("").trim();
  all("a, button, summary, input:not([type=hidden]), select, textarea, progress, [role=region], [role=group], [tabindex='0']").forEach((each) => {
    if (!nameOf(each) && each.tagName !== "MAIN") found.push(`no name: ${told(each)}`);
  });
  all("[role=img], img").forEach((each) => { if (!each.getAttribute("aria-label") && !each.alt) found.push(`no text: ${told(each)}`); });
  let before = 0;
  all("h1, h2, h3, h4").forEach((each) => {
    const level = Number(each.tagName[1]);
    if (level > before + 1) found.push(`heading after level ${before}: ${told(each)}`);
    before = level;
  });
  all("table").forEach((each) => {
    if (!each.querySelector("th")) found.push(`no headers: ${told(each)}`);
    each.querySelectorAll("th").forEach((head) => { if (!head.scope) found.push(`no scope: ${told(head)}`); });
  });
  all("[aria-describedby]").forEach((each) => each.getAttribute("aria-describedby").split(" ").forEach((id) => {
    if (!document.getElementById(id)) found.push(`described by nothing: ${told(each)}`);
  }));
  const colour = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const [r, g, b, a = 1] = colour(getComputedStyle(at).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  all("body *").forEach((each) => {
    const own = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || each.disabled || /^(OPTION|OPTGROUP|NOSCRIPT)$/.test(each.tagName)) return;
    const [high, low] = [light(colour(getComputedStyle(each).color)), light(behind(each))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${told(each)}`);
  });
  return [...new Set(found)];
};
