"""Programs built as LLM servers are: a front on asyncio, engines with threads, large buffers, nothing copied."""

from __future__ import annotations

import pytest
from tests.programs.launching import MIXES, SCRIPTS
from tests.support.library import LIBRARY

RESULTS = {
    "buffers": True,
    "limits": [0, 0],
    "waves": [[0, 1], [1, 1]],
    "right_answers": 120,
    "right_after_abort": True,
    "poll_nothing": [],
    "stopped": [0, 1],
}


def test_front_starts_engines_that_answer_every_request(stage):
    """Engines started by multiprocessing shake hands, answer with the right bytes in order, and end with code 0."""
    facts = stage.start(LIBRARY, SCRIPTS / "llm_front.py", stage.folder, "start").check()
    assert facts == {**RESULTS, "libraries": [LIBRARY] * 3, "exit_codes": [0, 0]}
    stage.wait_until_empty()


@pytest.mark.parametrize(("front", "engine"), MIXES)
def test_front_and_engines_of_other_libraries_understand_each_other(stage, front, engine):
    """Engines that run as programs of their own, on the same library or the other one, answer every request."""
    program = stage.start(front, SCRIPTS / "llm_front.py", stage.folder, "wait")
    handshake = f"ipc://{stage.folder}/handshake"
    engines = [stage.start(engine, SCRIPTS / "llm_engine.py", handshake, str(index)) for index in range(2)]
    assert program.check() == {**RESULTS, "libraries": [front, engine, engine], "exit_codes": []}
    for started in engines:
        started.check()
    stage.wait_until_empty()


def test_pipeline_of_five_processes_passes_every_object(stage):
    """Tokenizer, scheduler, two workers and detokenizer pass 3,000 objects, in order per request, and all end."""
    facts = stage.start(LIBRARY, SCRIPTS / "llm_pipeline.py", stage.folder).check()
    assert facts == {"all_text_in_order": True, "libraries": [LIBRARY], "exit_codes": [0, 0, 0, 0]}
    stage.wait_until_empty()
