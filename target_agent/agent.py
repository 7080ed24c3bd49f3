"""The target agent: the one file that SigmaLoop may change. Start reading at `run`, at the bottom.

It is handed a `session` and nothing else: the policy, the tools, the customer's first message, a way to
call tools, to speak, and to ask the model. Each kind of harness change has a place of its own here:
prompt (RULES), examples (EXAMPLES), tools (TOOL_NOTES), context (build_context), control flow (check_call, run).
"""

import json

PROMPT = """You are a customer service agent. Help the customer within the policy below.
Use the tools to look things up and to make changes. In each turn either speak to the customer or call tools.
Be friendly and concise."""

# Prompt: short rules that hold for every conversation.
RULES = [
    "Only do what the policy allows.",
]

# Few-shot examples: a situation and what a good agent does in it.
EXAMPLES = []

# Tool interface: a note added to the description of a tool, by the tool's name.
TOOL_NOTES = {}


def build_context(session):
    """The messages that the model sees first: instructions, rules, examples, policy, opening."""
    parts = [PROMPT]
    if RULES:
        parts.append("Rules:\n" + "\n".join(f"- {rule}" for rule in RULES))
    if EXAMPLES:
        parts.append("Examples:\n" + "\n\n".join(EXAMPLES))
    parts.append(session.instructions)
    return [
        {"role": "system", "content": "\n\n".join(parts)},
        {"role": "user", "content": session.opening},
    ]


def describe_tools(tools):
    """The tool schemas with our notes added to their descriptions."""
    described = []
    for tool in tools:
        function = dict(tool["function"])
        note = TOOL_NOTES.get(function["name"])
        if note:
            function["description"] = f"{function['description']} {note}"
        described.append({"type": "function", "function": function})
    return described


def check_call(name, arguments, messages):
    """A last look at a tool call before it happens: a reason not to make it, or None."""
    return None


def use_tool(session, call, messages):
    """Make one tool call of the model and return the text that it gets back."""
    name = call["function"]["name"]
    try:
        arguments = json.loads(call["function"]["arguments"] or "{}")
    except json.JSONDecodeError as error:
        return f"Error: the arguments are not valid JSON ({error})"
    objection = check_call(name, arguments, messages)
    if objection:
        return f"Not done: {objection}"
    return session.call(name, arguments)


def run(session):
    """Talk and act until the conversation is over."""
    messages = build_context(session)
    tools = describe_tools(session.tools)
    while True:
        reply = session.complete(messages, tools=tools)["choices"][0]["message"]
        messages.append(reply)
        calls = reply.get("tool_calls") or []
        for call in calls:
            result = use_tool(session, call, messages)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        if not calls:
            answer = session.say(reply.get("content") or "")
            if answer is None:
                return
            messages.append({"role": "user", "content": answer})
