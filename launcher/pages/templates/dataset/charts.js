// Histograms: how a figure of the clips is spread, a colour a split, with axes.
const WIDE = 420, HIGH = 210, LEFT = 44, BOTTOM = 36, TOP = 12, RIGHT = 12, MOST_BARS = 24;

function draw(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A round step (1, 2 or 5 times a power of ten) of which at most so many cover a span.
function roundStep(span, most) {
  const rough = span / most, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * (1 - 1e-9));
}

function count(clips, name) {
  const found = clips.filter((clip) => clip[name] != null);
  if (!found.length) return null;
  const values = found.map((clip) => clip[name]).sort((a, b) => a - b);
  const low = values[0], high = values[values.length - 1], middle = values.length >> 1;
  const median = values.length % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  const step = Math.max(high > low ? roundStep(high - low, MOST_BARS - 1) : 1, 10 ** -FIGURES[name][2]);
  // All alike: one bar around the value.
  const first = high > low ? Math.floor(low / step + 1e-9) : low / step - 0.5;
  const bars = Math.floor(high / step - first + 1e-9) + 1;
  const counts = Array.from({ length: bars }, () => data.splits.map(() => 0));
  for (const clip of found) counts[Math.min(bars - 1, Math.floor(clip[name] / step - first + 1e-9))][data.splits.indexOf(clip.split)] += 1;
  return { name, number: found.length, low, high, median, step, start: first * step, counts };
}

function chart(found, pick) {
  const [title, unit, digits] = FIGURES[found.name];
  const totals = found.counts.map((bar) => bar.reduce((a, b) => a + b));
  const top = Math.max(...totals), tick = Math.max(1, roundStep(top, 4)), ceiling = Math.ceil(top / tick) * tick;
  const bars = found.counts.length, width = (WIDE - LEFT - RIGHT) / bars, floor = HIGH - BOTTOM;
  const y = (number) => floor - (floor - TOP) * number / ceiling;
  const at = (value) => LEFT + width * (value - found.start) / found.step;
  const short = (value) => String(Number(value.toFixed(6)));
  const range = `${found.low.toFixed(digits)} to ${found.high.toFixed(digits)}, median ${found.median.toFixed(digits)} ${unit}`.trim();
  const svg = draw("svg", { class: "bars", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${title}: ${found.number} clips, ${range}` });
  for (let number = 0; number <= ceiling; number += tick) {
    svg.append(draw("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(number), y2: y(number) }),
      draw("text", { x: LEFT - 6, y: y(number) + 4, "text-anchor": "end" }, number >= 10000 ? `${number / 1000}k` : String(number)));
  }
  const mark = roundStep(bars * found.step, 6), end = found.start + bars * found.step;
  for (let value = Math.ceil(found.start / mark - 1e-9) * mark; value <= end + mark * 1e-6; value += mark) {
    svg.append(draw("line", { x1: at(value), x2: at(value), y1: floor, y2: floor + 4 }),
      draw("text", { x: at(value), y: floor + 16, "text-anchor": "middle" }, short(value)));
  }
  svg.append(draw("text", { x: (LEFT + WIDE - RIGHT) / 2, y: HIGH - 4, "text-anchor": "middle" }, unit ? `${title}, ${unit}` : title));
  found.counts.forEach((bar, n) => {
    let below = 0;
    bar.forEach((number, split) => {
      if (number) svg.append(draw("rect", { class: data.splits[split], x: LEFT + n * width + .5, width: Math.max(width - 1, .5), y: y(below + number), height: y(below) - y(below + number) }));
      below += number;
    });
    const from = found.start + n * found.step, to = from + found.step;
    const hit = draw("rect", { class: "hit", x: LEFT + n * width, width, y: TOP, height: floor - TOP },
      draw("title", {}, `${short(from)} to ${short(to)} ${unit}: ${data.splits.map((name, split) => `${bar[split]} ${name}`).join(", ")}`));
    hit.addEventListener("click", () => pick(found.name, short(from), short(to - 10 ** -digits / 2)));
    svg.append(hit);
  });
  const caption = make("figcaption", {}, title, make("br"), make("span", { className: "soft" }, range));
  return make("figure", {}, svg, caption);
}
