"""A fixed program; only the prompt beside it changes.

    sigmaloop run --agent-package examples/agents/prompt_file --edit examples/agents/prompt_file/prompt.md \
        --driver examples/agents/prompt_file/driver.py
"""

from conversation import answered


def run(session):
    messages = [{"role": "system", "content": f"{session.instructions}\n\n{session.files['prompt.md']}"}]
    text = session.opening
    while text is not None:
        messages.append({"role": "user", "content": text})
        text = session.say(answered(session, messages))
