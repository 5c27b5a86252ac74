"""Executes a notebook with nbclient."""

from __future__ import annotations

import nbformat
from facts import library_name, tell
from nbclient import NotebookClient

CELLS = [
    "import sys, zmq\nprint('purezmq' if zmq is sys.modules.get('purezmq') else 'zmq')",
    "import asyncio\nawait asyncio.sleep(0.01)\n6 * 7",
    "1 / 0",
    "from IPython.display import *\ndisplay('old', display_id='d')\nupdate_display('new', display_id='d')",
    "from concurrent.futures import *\nwith ThreadPoolExecutor() as pool: list(pool.map(print, range(100)))",
]


def main() -> None:
    """Run all cells and tell what they put out."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, timeout=30, allow_errors=True, kernel_name="python3")
    client.execute()
    cells = notebook.cells
    tell("library", library_name())
    tell("kernel_library", cells[0].outputs[0].text.strip())
    tell("outputs", [sorted({output.output_type for output in cell.outputs}) for cell in cells])
    tell("numbers", [cell.execution_count for cell in cells])
    assert cells[3].outputs[0].data["text/plain"] == "'new'", cells[3].outputs


if __name__ == "__main__":
    main()
