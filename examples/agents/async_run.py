"""An `async def run` over the official asynchronous client.

sigmaloop run --agent examples/agents/async_run.py
"""

import json


async def run(session):
    client, text = session.async_openai(), session.opening
    messages = [{"role": "system", "content": session.instructions}]
    while text is not None:
        messages.append({"role": "user", "content": text})
        while True:
            made = await client.chat.completions.create(model="target", messages=messages, tools=session.tools)
            messages.append(made.choices[0].message.model_dump(exclude_none=True))
            calls = made.choices[0].message.tool_calls or []
            for call in calls:
                found = session.call(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
            if not calls:
                break
        text = session.say(messages[-1].get("content") or "")
