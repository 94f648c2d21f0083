// From strokes to an image as MNIST has them: white ink on black in 28 by 28 pixels, fitted into a box of 20 by 20 and
// moved so that the centre of its ink is the centre of the image.
//
// Distances are computed instead of pixels read back from a canvas, so that the same stroke is the same image in every
// browser, also in those that blur what scripts read from a canvas.

const SIDE = 28;
const BOX = 20;
// Half the width of a stroke, in pixels of the image.
const RADIUS = 1.2;
// A digit smaller than this part of the pad is not blown up to the full box: it may be a mere dot.
const SIZE_MIN = 0.12;

/** The image of `strokes`, each a list of points `[x, y]` from 0 to 1; 784 numbers from 0 to 1, row by row. */
function imageOf(strokes) {
  const points = strokes.flat();
  const [left, right] = bounds(points.map(([x]) => x));
  const [top, bottom] = bounds(points.map(([, y]) => y));
  const scale = (BOX - 2 * RADIUS) / Math.max(right - left, bottom - top, SIZE_MIN);
  const segments = strokes.flatMap((stroke) => stroke.map((point, index) => [stroke[Math.max(index - 1, 0)], point]));
  const fitted = segments.map((ends) => ends.map(([x, y]) => [
    (x - (left + right) / 2) * scale + SIDE / 2,
    (y - (top + bottom) / 2) * scale + SIDE / 2,
  ]));
  const [x, y] = centreOf(rasterize(fitted));
  return rasterize(fitted.map((ends) => ends.map(([px, py]) => [px + SIDE / 2 - x, py + SIDE / 2 - y])));
}

function bounds(numbers) {
  return [Math.min(...numbers), Math.max(...numbers)];
}

/** Ink fades over one pixel at the rim of a stroke, as in a scan. */
function rasterize(segments) {
  return Array.from({ length: SIDE * SIDE }, (_, index) => {
    const pixel = [index % SIDE + 0.5, Math.floor(index / SIDE) + 0.5];
    const nearest = Math.min(...segments.map((ends) => distance(pixel, ends)));
    return Math.round(Math.min(Math.max(RADIUS + 0.5 - nearest, 0), 1) * 255) / 255;
  });
}

function distance([x, y], [[x0, y0], [x1, y1]]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const along = Math.min(Math.max(part, 0), 1);
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function centreOf(image) {
  let [sum, x, y] = [0, 0, 0];
  image.forEach((ink, index) => {
    sum += ink;
    x += ink * (index % SIDE + 0.5);
    y += ink * (Math.floor(index / SIDE) + 0.5);
  });
  return [x / sum, y / sum];
}
