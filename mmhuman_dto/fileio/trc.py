"""Points of one person by frame as a ``.trc`` file, which OpenSim takes for markers: text with tabs, y up, metres.

Source of the layout: OpenSim's documentation, "Marker (.trc) Files".
"""
from pathlib import Path


def write_trc(path, names, points, rate):
    """Write named points in their frames.

    Args:
        path: of the file.
        names: K names.
        points: (T, K, 3), m, y up.
        rate: frames a second.
    """
    count = len(points)
    head = [
        ['PathFileType', '4', '(X/Y/Z)', Path(path).name],
        ['DataRate', 'CameraRate', 'NumFrames', 'NumMarkers', 'Units', 'OrigDataRate', 'OrigDataStartFrame',
         'OrigNumFrames'],
        [f'{rate:g}', f'{rate:g}', str(count), str(len(names)), 'm', f'{rate:g}', '1', str(count)],
        ['Frame#', 'Time', *(part for name in names for part in (name, '', ''))],
        ['', '', *(f'{axis}{number}' for number in range(1, len(names) + 1) for axis in 'XYZ')], []]
    rows = [[str(frame + 1), f'{frame / rate:.6f}', *(f'{value:.6f}' for value in row)]
            for frame, row in enumerate(points.reshape(count, -1).tolist())]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(''.join('\t'.join(row) + '\n' for row in [*head, *rows]), encoding='ascii')
