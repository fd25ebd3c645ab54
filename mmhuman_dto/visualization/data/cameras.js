// How the page's cameras see: functions of numbers alone. Matrices are 4 x 4, row after row, as lists of 16.

// The photo's share of the view, seen from the camera.
const PHOTO_SHARE = .96;

// Intrinsics, px of the view, of a photo that lies in the middle of the view as large as it fits.
function fittedIntrinsics([[fx, skew, cx], [, fy, cy]], photo, view) {
  const scale = PHOTO_SHARE * Math.min(view.width / photo.width, view.height / photo.height);
  const [left, top] = [(view.width - scale * photo.width) / 2, (view.height - scale * photo.height) / 2];
  return [[scale * fx, scale * skew, scale * cx + left], [0, scale * fy, scale * cy + top], [0, 0, 1]];
}

// WebGL's projection by intrinsics of a view in px: nothing of the pinhole, its principal point included, is lost.
// Where a view's camera is x right, y up, z to the viewer, the intrinsics' is x right, y down, z forward.
function pinholeProjection([[fx, skew, cx], [, fy, cy]], view, near, far) {
  const [x, y] = [2 / view.width, 2 / view.height];
  return [
    x * fx, -x * skew, 1 - x * cx, 0,
    0, y * fy, y * cy - 1, 0,
    0, 0, (near + far) / (near - far), 2 * near * far / (near - far),
    0, 0, -1, 0];
}

// What of the ground gets lines and labels, in metres: a line every `unit`, a strong one every fifth; x and z are lists
// of the places of lines, labels every `step` lines. `left`, `right`, `near` and `far` edges are those of what is shown.
function gridOf([left, right, near, far]) {
  const unit = Math.max(right - left, near - far) > 80 ? 10 : 1;
  const places = (low, high) => {
    const first = Math.floor(low / unit);
    return Array.from({ length: Math.ceil(high / unit) + 1 - first }, (_, i) => (first + i) * unit);
  };
  const [x, z] = [places(left, right), places(far, near)];
  const lines = Math.max(x.length, z.length);
  return { unit, x, z, step: unit * ([1, 2, 5, 10, 20, 50].find((step) => lines / step <= 12) || 100) };
}
