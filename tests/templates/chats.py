"""The chats that every template writes."""

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": 'Says what the weather is like in "town" & region <here>.',
            "parameters": {
                "type": "object",
                "properties": {
                    "town": {"type": "string", "description": "Name of the town, like Tromsø"},
                    "days": {"type": "integer", "enum": [1, 2, 3]},
                    "units": {"type": "string", "default": None},
                },
                "required": ["town"],
            },
        },
    }
]
CALL = {"id": "abc123xyz", "type": "function", "function": {"name": "get_weather", "arguments": {"town": "Tromsø", "days": 2}}}


def said(role: str, content, **fields) -> dict:
    return {"role": role, "content": content, **fields}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


CHATS = {
    "system": {"messages": [said("system", "You are brief."), said("user", "What is 2 + 2?")]},
    "no system": {"messages": [said("user", "Name a town in Norway.")]},
    "several turns": {
        "messages": [
            said("system", "You are brief."),
            said("user", "Hello!"),
            said("assistant", "Hi there. How can I help?"),
            said("user", "  Tell me about cafés, 日本語 and 🙂.\n"),
            said("assistant", "Of course:\n- one\n- two"),
            said("user", "Thanks. And now?"),
        ]
    },
    "parts": {"messages": [said("system", [text("You are brief.")]), said("user", [text("First part."), text("Second part.")])]},
    "closing assistant": {"messages": [said("user", "Hello!"), said("assistant", "Hi there.")], "add_generation_prompt": False},
    "tools": {
        "messages": [
            said("system", "You are brief."),
            said("user", "How is the weather in Tromsø?"),
            said("assistant", "", tool_calls=[CALL]),
            said("tool", '{"sky": "clear"}', tool_call_id=CALL["id"], name="get_weather"),
            said("assistant", "Clear."),
            said("user", "And in Oslo?"),
        ],
        "tools": TOOLS,
    },
}

# Beyond the six: what clients switch.
SWITCHES = {
    "thinking off": {**CHATS["several turns"], "chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    "thinking on": {**CHATS["several turns"], "chat_template_kwargs": {"enable_thinking": True, "thinking": True}},
    "low effort": {**CHATS["system"], "chat_template_kwargs": {"reasoning_effort": "low"}},
}
