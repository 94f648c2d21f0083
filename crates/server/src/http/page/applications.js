// The list of applications: what is deployed, who gets which share, and what was answered.

const COLORS = ["--accent", "--second", "--third"];
const count = new Intl.NumberFormat();
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A new element with these properties and children. */
function made(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** What the metrics say, by application: `answered` by version, and how many requests were `refused`. */
function countsOf(metrics) {
  const counts = new Map();
  for (const [, name, labels, value] of metrics.matchAll(/^(slipway_\w+)\{(.*)\} (\S+)/gm)) {
    const { application, version, status } = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]),
    );
    const isOfInterest = name === "slipway_application_revision" || name === "slipway_requests_total";
    if (!application || !isOfInterest) continue;
    if (!counts.has(application)) counts.set(application, { answered: new Map(), refused: 0 });
    const of = counts.get(application);
    if (status >= 400) of.refused += Number(value);
    else if (version) of.answered.set(version, (of.answered.get(version) ?? 0) + Number(value));
  }
  return counts;
}

/** One application; without a revision only its counts are known. */
function applicationOf(name, revision, counts) {
  const variants = revision?.application.stages[0].variants ?? [];
  const { answered, refused } = counts ?? { answered: new Map(), refused: 0 };
  const weights = new Map(variants.map(({ model, weight }) => [model, weight]));
  // A version that has no share any more stays as long as its count does.
  const versions = [...new Set([...weights.keys(), ...answered.keys()])];
  const facts = [
    revision && `revision ${revision.revision}, ${time.format(revision.deployed_at_ms)}`,
    refused > 0 && `${count.format(refused)} refused`,
  ];
  const parts = [
    made("header", {}, made("h3", { textContent: name }), made("p", { textContent: facts.filter(Boolean).join(" · ") })),
  ];
  if (variants.length > 0) parts.push(splitOf(variants));
  const rows = versions.map((version, index) => {
    const mark = made("i", {});
    colour(mark, weights.has(version) ? COLORS[index % COLORS.length] : "--line");
    return made("tr", {},
      made("td", {}, mark, version),
      made("td", { textContent: weights.has(version) ? `${weights.get(version)} %` : "–" }),
      made("td", { textContent: count.format(answered.get(version) ?? 0) }));
  });
  if (rows.length > 0) {
    const head = ["Version", "Share", "Answered"].map((text) => made("th", { scope: "col", textContent: text }));
    parts.push(made("table", {}, made("thead", {}, made("tr", {}, ...head)), made("tbody", {}, ...rows)));
  }
  return made("article", {}, ...parts);
}

function splitOf(variants) {
  const shares = variants.map(({ weight }, index) => {
    const share = made("span", {});
    share.style.flexGrow = weight;
    colour(share, COLORS[index % COLORS.length]);
    return share;
  });
  const split = made("div", { className: "split", role: "img" }, ...shares);
  split.ariaLabel = variants.map(({ model, weight }) => `${model} ${weight} %`).join(", ");
  return split;
}

function colour(element, name) {
  element.style.setProperty("--color", `var(${name})`);
}
