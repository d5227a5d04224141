"use strict";
/* Pieces of a line as [x, y, x, y] in pixels; a bent one is a curve of four pieces. */
const twinLinePieces = (from, to, bend) => {
  const middle = { x: (from.x + to.x) / 2 - (from.y - to.y) * bend, y: (from.y + to.y) / 2 - (to.x - from.x) * bend };
  const at = (t) => ["x", "y"].map((axis) => (1 - t) ** 2 * from[axis] + 2 * t * (1 - t) * middle[axis] + t * t * to[axis]);
  return (bend ? [0, 0.25, 0.5, 0.75] : [0]).map((t) => [...at(t), ...at(bend ? t + 0.25 : 1)]);
};

/* Places of labels of a drawing: beside their mark, where they cover no other mark and label, and least of the lines.
   Returns for each mark its text in lines of at most `maxWidth` pixels, its alignment, and its shift from the mark.
   marks: {x, y, size, text}; segments: [x, y, x, y], all in pixels; room: {width, height}. */
const twinLabels = (marks, segments, room, { fontSize, lineHeight, fontFamily, maxWidth }) => {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `${fontSize}px ${fontFamily}`;
  const widthOf = (text) => context.measureText(text).width;

  /* Breaks behind spaces and signs of names; in the middle of a name only where it has none. */
  const broken = (text) => text.split("\n").flatMap((line) => {
    const lines = [""];
    line.split(/(?<=[ /~_:-])/).forEach((part) => {
      if (lines[lines.length - 1] && widthOf((lines[lines.length - 1] + part).trimEnd()) > maxWidth) lines.push("");
      let rest = part;
      while (widthOf(rest.trimEnd()) > maxWidth) {
        let n = rest.length - 1;
        while (n > 1 && widthOf(rest.slice(0, n)) > maxWidth) n -= 1;
        lines[lines.length - 1] += rest.slice(0, n);
        rest = rest.slice(n);
        lines.push("");
      }
      lines[lines.length - 1] += rest;
    });
    return lines.map((each) => each.trimEnd()).filter((each) => each);
  });

  /* Length of a segment inside a box, after Liang and Barsky. */
  const covered = ([x, y, toX, toY], box) => {
    let [from, to] = [0, 1];
    const cuts = [[x - toX, x - box.left], [toX - x, box.right - x], [y - toY, y - box.top], [toY - y, box.bottom - y]];
    for (const [step, distance] of cuts) {
      if (step === 0) {
        if (distance < 0) return 0;
      } else if (step < 0) from = Math.max(from, distance / step);
      else to = Math.min(to, distance / step);
    }
    return to > from ? (to - from) * Math.hypot(toX - x, toY - y) : 0;
  };
  const common = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const around = ({ x, y, size }) => ({ left: x - size / 2, right: x + size / 2, top: y - size / 2, bottom: y + size / 2 });

  const SIDES = [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]];
  const taken = [];
  const bodies = marks.map(around);
  return marks.map((mark, i) => {
    const lines = broken(mark.text);
    const [width, height] = [Math.max(...lines.map(widthOf)) + 4, lines.length * lineHeight + 2];
    let best = null;
    SIDES.forEach(([right, down], rank) => {
      const gap = mark.size / 2 + (right && down ? 0 : 3);
      const [x, y] = [mark.x + right * (gap + width / 2), mark.y + down * (gap + height / 2)];
      const box = { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
      const outside = width * height - common(box, { left: 0, top: 0, right: room.width, bottom: room.height });
      let cost = 1e-3 * rank + 50 * outside;
      taken.forEach((other) => { cost += 20 * common(box, other); });
      bodies.forEach((body, j) => { if (j !== i) cost += 10 * common(box, body); });
      segments.forEach((segment) => { cost += covered(segment, box); });
      if (best === null || cost < best.cost) best = { cost, box, right, shift: [(right > 0 ? box.left + 2 : right < 0 ? box.right - 2 : x) - mark.x, y - mark.y] };
    });
    taken.push(best.box);
    return { text: lines.join("\n"), shift: best.shift, align: best.right > 0 ? "left" : best.right < 0 ? "right" : "center" };
  });
};
