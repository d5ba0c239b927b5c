"use strict";
// Values under the pointer, and by the arrow keys where a chart has the focus.
for (const chart of document.querySelectorAll("svg.chart")) {
  const source = document.getElementById(chart.dataset.chart + "-data");
  if (!source) continue;
  const lines = JSON.parse(source.textContent).filter((line) => line.x.length);
  if (!lines.length) continue;
  const cursor = chart.querySelector(".cursor");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  chart.closest(".figure").append(tip);
  let at = 0;

  const nearest = (xs, x) => {
    let low = 0, high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle; else high = middle;
    }
    return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
  };

  const show = (x, aloud) => {
    at = nearest(lines[0].x, x);
    const here = lines[0].x[at];
    const said = lines.map((line) => `${line.label}  ${line.v[nearest(line.x, here)]}`);
    tip.textContent = [lines[0].t[at], ...said].join("\n");
    cursor.setAttribute("x1", here);
    cursor.setAttribute("x2", here);
    cursor.setAttribute("visibility", "visible");
    tip.hidden = false;
    const figure = tip.parentElement.getBoundingClientRect(), box = chart.getBoundingClientRect();
    const left = box.left - figure.left + (here / 760) * box.width + 12;
    tip.style.left = Math.max(0, Math.min(left, figure.width - tip.offsetWidth - 4)) + "px";
    tip.style.top = box.top - figure.top + 24 + "px";
    if (aloud) document.getElementById("said").textContent = tip.textContent;
  };
  const hide = () => { tip.hidden = true; cursor.setAttribute("visibility", "hidden"); };

  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    show(((event.clientX - box.left) / box.width) * 760, false);
  });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const last = lines[0].x.length - 1;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") hide();
    if (next === undefined) return;
    event.preventDefault();
    show(lines[0].x[Math.max(0, Math.min(next, last))], true);
  });
}
