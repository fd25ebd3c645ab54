"""Small tables as text and as HTML."""
import html


def as_text(header, rows):
    """Lines of columns that stand below their names."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (header, *rows)]


def as_html(header, rows):
    """A ``<table>``."""
    lines = [''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in row)
             for tag, row in (('th', header), *(('td', row) for row in rows))]
    return '<table>' + ''.join(f'<tr>{line}</tr>' for line in lines) + '</table>'


def filled(header, rows):
    """Header and rows without the columns in which every cell is empty."""
    kept = [number for number, column in enumerate(zip(*rows)) if any(column)]
    return [header[number] for number in kept], [[row[number] for number in kept] for row in rows]
