"""The notifier imports aiogram without building its models, and each model works when it is used."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: here another test may have imported aiogram before.
PROGRAM = """
import json
import pydantic
whole = pydantic.BaseModel.model_rebuild.__func__
from services.notifier.adapters import telegram
from aiogram import methods, types
from aiogram.methods.base import Response

def built():
    found = (getattr(types, name) for name in types.__all__)
    models = (one for one in found if isinstance(one, type) and issubclass(one, pydantic.BaseModel))
    return sum("__pydantic_validator__" in one.__dict__ and one.__pydantic_complete__ for one in models)

at_import = built()
chat = {"id": 1, "type": "private"}
sent = {"message_id": 7, "date": 1, "chat": chat, "text": "hi", "from": {"id": 2, "is_bot": False, "first_name": "A"}}
answer = {"ok": True, "result": [{"update_id": 3, "message": sent}]}
updates = Response[list[types.Update]].model_validate(answer).result
button = types.InlineKeyboardButton(text="ok", callback_data="ack:1")
order = methods.SendMessage(chat_id=1, text="hi", reply_markup=types.InlineKeyboardMarkup(inline_keyboard=[[button]]))
print(json.dumps({
    "at_import": at_import,
    "afterwards": built(),
    "name": updates[0].message.from_user.full_name,
    "button": order.model_dump(exclude_none=True, warnings=False)["reply_markup"]["inline_keyboard"][0][0],
    "pydantic_as_before": pydantic.BaseModel.model_rebuild.__func__ is whole,
}))
"""


def test_models_are_built_when_they_are_used_and_not_before():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["at_import"] == 0
    assert 0 < found["afterwards"] < 30
    assert found["name"] == "A"
    assert found["button"] == {"text": "ok", "callback_data": "ack:1"}
    assert found["pydantic_as_before"]
