// The area to draw on, with a pointer or with keys. It holds strokes, and tells when one ends.

// Points nearer to the last one than this add nothing but work.
const STEP_MIN = 0.004;
const KEY_STEP = 0.04;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Pad {
  /** `onStroke` is called with all strokes when one ends; with none when the pad was cleared. */
  constructor(canvas, onStroke) {
    this.canvas = canvas;
    this.onStroke = onStroke;
    this.strokes = [];
    this.pointer = null;
    this.pen = { at: [0.5, 0.5], isDown: false, isShown: false };
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.up(event));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.leave());
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  clear() {
    this.strokes = [];
    this.pointer = null;
    this.pen.isDown = false;
    this.paint();
    this.onStroke(this.strokes);
  }

  down(event) {
    if (this.pointer !== null || event.button !== 0) return;
    this.pointer = event.pointerId;
    this.pen.isShown = false;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push([this.placeOf(event)]);
    this.paint();
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    // A browser gathers what the pointer did between two frames.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.extend(this.placeOf(each));
    this.paint();
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.onStroke(this.strokes);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      this.pen.isShown = true;
      this.pen.at = this.pen.at.map((place, axis) => clamped(place + arrow[axis] * KEY_STEP));
      if (this.pen.isDown) this.extend(this.pen.at);
    } else if (event.key === " ") {
      this.pen.isShown = true;
      this.pen.isDown = !this.pen.isDown;
      if (this.pen.isDown) this.strokes.push([this.pen.at]);
      else this.onStroke(this.strokes);
    } else if (event.key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.paint();
  }

  leave() {
    this.pen.isShown = false;
    if (this.pen.isDown) {
      this.pen.isDown = false;
      this.onStroke(this.strokes);
    }
    this.paint();
  }

  extend(place) {
    const stroke = this.strokes.at(-1);
    const [x, y] = stroke.at(-1);
    if (Math.hypot(place[0] - x, place[1] - y) >= STEP_MIN) stroke.push(place);
  }

  placeOf(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clamped((event.clientX - left) / width), clamped((event.clientY - top) / height)];
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, side, side);
    context.lineWidth = side * 0.065;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = style.color;
    for (const stroke of this.strokes) {
      context.beginPath();
      const [[x, y]] = stroke;
      context.moveTo(x * side, y * side);
      // A line from a point to itself is a dot.
      for (const [toX, toY] of stroke) context.lineTo(toX * side, toY * side);
      context.stroke();
    }
    if (this.pen.isShown) {
      context.beginPath();
      context.lineWidth = devicePixelRatio * 2;
      context.strokeStyle = style.outlineColor;
      context.arc(...this.pen.at.map((place) => place * side), side * 0.045, 0, 7);
      context.stroke();
    }
  }
}

function clamped(place) {
  return Math.min(Math.max(place, 0), 1);
}
