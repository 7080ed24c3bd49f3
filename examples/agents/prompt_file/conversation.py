"""A module of the package that stays as it is: calls tools until the model says something."""

import json


def answered(session, messages):
    while True:
        message = session.complete(messages, session.tools)["choices"][0]["message"]
        messages.append(message)
        calls = message.get("tool_calls") or []
        for call in calls:
            found = session.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": found})
        if not calls:
            return message["content"] or ""
