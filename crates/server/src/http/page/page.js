// What the page asks and shows: the answer to a drawing, and every two seconds what is deployed.

const REFRESH_MS = 2000;
const WAIT_MAX_MS = 10000;

const at = (id) => document.getElementById(id);
const percent = new Intl.NumberFormat(undefined, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

// What is deployed, as far as the server tells it: by name, revision or undefined.
let deployed = new Map();
// The drawing, and whether somebody was there to be asked.
let drawing = { strokes: [], isAsked: false };
// Numbers the questions, so that a late answer does not replace a later one.
let asked = 0;
// What the list was last made of.
let shown = "";

const bars = Array.from({ length: 10 }, (_, digit) => {
  const fill = made("div", { className: "fill" });
  const share = made("span", { className: "share" });
  const row = made("li", {}, made("span", { textContent: digit }), made("div", { className: "track" }, fill), share);
  at("bars").append(row);
  return { row, fill, share };
});

const pad = new Pad(at("pad"), (strokes) => {
  drawing = { strokes, isAsked: false };
  at("clear").disabled = strokes.length === 0;
  at("invitation").hidden = strokes.length > 0;
  if (strokes.length === 0) {
    asked += 1;
    show(undefined, "Nothing is drawn yet.");
    paintSeen(new Array(SIDE * SIDE).fill(0));
  } else {
    ask();
  }
});

at("clear").addEventListener("click", () => {
  pad.clear();
  at("pad").focus();
});
// A first touch takes the invitation away at once, not only when the stroke ends.
at("pad").addEventListener("pointerdown", () => { at("invitation").hidden = true; });
at("application").addEventListener("change", () => { if (drawing.strokes.length > 0) ask(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
show(undefined, "Nothing is drawn yet.");
refresh();
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);

/** Sends the drawing, and shows what comes back. */
async function ask() {
  const number = asked += 1;
  const image = imageOf(drawing.strokes);
  paintSeen(image);
  const application = at("application").value;
  if (!application) {
    show(undefined, "Nothing is deployed yet, so there is nobody to ask.");
    return;
  }
  drawing.isAsked = true;
  const stages = deployed.get(application)?.application.stages ?? [];
  // The form with stages always answers under the application's own name.
  const signature = stages.length > 1 || stages[0]?.signature ? application : "predict";
  const start = performance.now();
  let facts;
  let probabilities;
  try {
    const response = await fetched(`/gateway/applications/${application}/${signature}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ imgs: [image] }),
    });
    const answer = await response.json();
    const ms = performance.now() - start;
    if (response.ok) {
      [probabilities] = answer.probabilities;
      const version = response.headers.get("x-model-version");
      facts = [
        `${percent.format(Math.max(...probabilities))} certain`,
        version ? `${version} of ${application}` : application,
        `${ms.toFixed(1)} ms from here and back`,
      ].join("\n");
    } else {
      facts = refusal(response.status, answer.information?.message);
    }
  } catch {
    facts = "The server did not answer.";
  }
  if (number !== asked) return;
  show(probabilities, facts);
}

function refusal(status, message) {
  const reason = status === 401 ? "This server answers only those who have a key." : `The server refused: ${status}.`;
  return message ? `${reason}\n${message}` : reason;
}

/** Shows an answer, or none and the reason. */
function show(probabilities, facts) {
  const best = probabilities?.indexOf(Math.max(...probabilities));
  at("digit").textContent = best ?? "–";
  at("digit").toggleAttribute("data-empty", best === undefined);
  at("facts").textContent = facts;
  at("facts").dataset.state = best === undefined && drawing.strokes.length > 0 ? "bad" : "";
  bars.forEach(({ row, fill, share }, digit) => {
    row.classList.toggle("best", digit === best);
    fill.style.width = `${100 * (probabilities?.[digit] ?? 0)}%`;
    share.textContent = probabilities ? percent.format(probabilities[digit]) : "";
  });
}

function paintSeen(image) {
  const pixels = new ImageData(SIDE, SIDE);
  image.forEach((ink, index) => pixels.data.set([255 * ink, 255 * ink, 255 * ink, 255], 4 * index));
  at("seen").getContext("2d").putImageData(pixels, 0, 0);
}

/** Looks at what is deployed and how much it has answered. */
async function refresh() {
  try {
    const paths = ["/readyz", "/api/applications", "/metrics"];
    const [ready, list, metrics] = await Promise.all(paths.map((path) => fetched(path)));
    const counts = countsOf(await metrics.text());
    // Without the token for management the metrics still tell the names.
    const pairs = list.ok
      ? (await list.json()).map(({ name, answers }) => [name, answers])
      : [...counts.keys()].map((name) => [name, undefined]);
    deployed = new Map(pairs);
    say(ready.ok ? "ready" : "waiting", ready.ok ? "Ready" : "The server is loading its applications …");
    note(list);
    draw(counts);
    choose();
  } catch {
    say("bad", "The server does not answer. Trying again …");
  }
}

function say(state, text) {
  if (at("status").textContent !== text) at("status").textContent = text;
  at("status").dataset.state = state;
}

/** Why there is no list, or not all of it. */
function note(list) {
  const parts = [];
  if (list.status === 401 || list.status === 403) {
    parts.push("Splits are shown only to holders of the management token; these are the counts.");
  } else if (!list.ok) {
    parts.push(`The list cannot be had just now (${list.status}); these are the counts.`);
  } else if (deployed.size === 0) {
    const code = made("code", { textContent: "pipeline up" });
    parts.push("Nothing is deployed yet. ", code, " trains a model, publishes it and deploys it here.");
  }
  at("note").replaceChildren(...parts);
  at("note").hidden = parts.length === 0;
}

/** The applications, made anew only where something changed, so that a selection stays. */
function draw(counts) {
  const now = JSON.stringify([[...deployed], [...counts].map(([name, of]) => [name, of.refused, ...of.answered])]);
  if (now === shown) return;
  shown = now;
  const articles = [...deployed].map(([name, revision]) => applicationOf(name, revision, counts.get(name)));
  at("applications").replaceChildren(...articles);
}

/** Offers the applications to ask, where there is a choice, and asks the first one that comes. */
function choose() {
  const select = at("application");
  const names = [...deployed.keys()];
  if (names.join() !== [...select.options].map((option) => option.value).join()) {
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => made("option", { value: name, textContent: name })));
    if (names.includes(chosen)) select.value = chosen;
  }
  at("choice").hidden = names.length < 2;
  if (select.value && drawing.strokes.length > 0 && !drawing.isAsked) ask();
}

function fetched(path, options) {
  return fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(WAIT_MAX_MS) });
}
