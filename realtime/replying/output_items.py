"""The items of one reply: on the wire, in the response's output, and in the conversation.

A message or a call of the response is in all three. A call that the server runs itself, and its output, are items of
the conversation only: stock clients run every call they see in a response.
"""

from __future__ import annotations

from typing import Any

import msgspec

from realtime.context import Context
from realtime.core.conversation import ROOT
from realtime.core.messages import ToolCall
from realtime.errors import ProviderRejected
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.protocol.response_options import ResponseOptions
from realtime.tools import error_output
from realtime.translate import to_core_item

STOPPED = error_output(
    "This was stopped while it ran. It may have happened: do not do it again without asking the user."
)
MAX_ID = 128  # characters; a client could not name a longer one (wire 1.4)


class OutputItems:
    """Of one reply. Out of band they are no items of the conversation."""

    def __init__(self, context: Context, response_id: str, options: ResponseOptions) -> None:
        self._context = context
        self._response_id = response_id
        self._options = options
        self._conversation = None if options.out_of_band else context.conversation
        self._previous: dict[str, str | None] = {}  # where each item was put
        self._before_calls: str | None = None  # the place before the first call that the server runs
        self.output: list[wire.Item] = []  # finished and open items, by output index
        self.server_items: list[wire.Item] = []  # calls the server runs itself, and what came of them
        self.call_count = 0  # of our tools and of the client's
        self.reasoning: Any = None  # what the model wants back with its calls

    def __repr__(self) -> str:
        return f"<OutputItems {len(self.output)} of {self._response_id}, {self.call_count} calls>"

    # -- items of the response -----------------------------------------------------------------------------------

    def begin(self, item: wire.Item) -> int:
        """Announce an item of the response; returns its output index."""
        index = len(self.output)
        self.output.append(item)
        self._put(
            events.ResponseOutputItemAdded(response_id=self._response_id, output_index=index, item=item)
        )
        if self._conversation is not None:
            self._add(item)
        return index

    def restored(self, item: wire.Item, previous_id: str | None) -> int:
        """An item that another server has announced, after this one; returns its output index."""
        self.output.append(item)
        self._previous[item.id] = previous_id
        return len(self.output) - 1

    def complete(self, item: wire.Item, index: int) -> None:
        """This is what became of it."""
        self.output[index] = item
        self._put(events.ResponseOutputItemDone(response_id=self._response_id, output_index=index, item=item))
        if self._conversation is not None:
            self._keep(item)

    def call(self, call: ToolCall) -> None:
        """A complete function call: announced, spelled out and done at once, so that nobody runs half of one.

        Raises ProviderRejected for arguments that are not JSON.
        """
        item = self._call_item(call)
        index = self.begin(item)
        address: dict[str, Any] = {
            "response_id": self._response_id,
            "item_id": item.id,
            "output_index": index,
            "call_id": item.call_id,
        }
        self._put(events.ResponseFunctionCallArgumentsDelta(**address, delta=call.arguments))
        self._put(
            events.ResponseFunctionCallArgumentsDone(**address, name=call.name, arguments=call.arguments)
        )
        self.complete(msgspec.structs.replace(item, status="completed", arguments=call.arguments), index)

    def _call_item(self, call: ToolCall) -> wire.FunctionCallItem:
        """The item of a call, still open. Its id is its own: some models count anew in each answer, and what came of
        one call would be taken for what came of another. Raises ProviderRejected for arguments that are not JSON."""
        try:
            msgspec.json.decode(call.arguments)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProviderRejected(
                f"The model called {call.name!r} with arguments that are not JSON."
            ) from error
        self.call_count += 1
        return wire.FunctionCallItem(
            id=self._context.new_id("item"),
            status="in_progress",
            name=call.name,
            call_id=self._id_of_its_own(call.call_id),
        )

    def _id_of_its_own(self, call_id: str) -> str:
        """The model's id of a call, where nothing else has it: no other call of the session, also beside its
        conversation, nor an output that is left. Else a new one."""
        known = (*self._context.conversation.items, *(self._options.input or ()))
        taken = {getattr(item, "call_id", None) for item in known} | self._context.call_ids
        own = call_id if 0 < len(call_id) <= MAX_ID and call_id not in taken else self._context.new_id("call")
        self._context.call_ids.add(own)
        return own

    # -- calls that the server runs ------------------------------------------------------------------------------

    def server_call(self, call: ToolCall) -> ToolCall:
        """A call that the server runs itself, as it is in the conversation. Raises ProviderRejected like `call`."""
        item = self._call_item(call)
        self._add(item)
        if not self.server_items:
            self._before_calls = self._previous.get(item.id) or ROOT
        done = msgspec.structs.replace(item, status="completed", arguments=call.arguments)
        self.server_items.append(done)
        self._keep(done)
        return ToolCall(item.call_id, call.name, call.arguments)

    def server_output(self, call_id: str, output: str) -> None:
        """What a tool of the server gave. A call that was deleted meanwhile gets no output, nor does one that has its
        own: that of a tool that was stopped."""
        if self._conversation is None or not self._conversation.knows_call(call_id):
            return
        if call_id in self._answered():
            return
        item = wire.FunctionCallOutputItem(id=self._context.new_id("item"), call_id=call_id, output=output)
        self.server_items.append(item)
        self._add(item)
        self._keep(item)

    @property
    def in_conversation(self) -> bool:
        """Whether its items are items of the conversation: only there the server answers calls."""
        return self._conversation is not None

    @property
    def model_goes_on(self) -> bool:
        """Whether the model is asked again once our tools have answered. A client whose tools were called as well asks
        itself."""
        ours = sum(isinstance(item, wire.FunctionCallItem) for item in self.server_items)
        return ours > 0 and ours >= self.call_count

    def carry_on(self, before: OutputItems, message_id: str | None) -> None:
        """The calls of the reply before are also those of this one, which says its rest. Their tools may still work:
        what they give is answered after this one."""
        self.server_items, self.call_count = before.server_items, before.call_count
        if self.server_items:
            self._before_calls = message_id or before._before_calls

    def end_calls(self) -> None:
        """A call whose tool was stopped gets an output that says so: the model goes on from there."""
        calls = [item.call_id for item in self.server_items if isinstance(item, wire.FunctionCallItem)]
        for call_id in calls:
            self.server_output(call_id, STOPPED)

    def _answered(self) -> set[str]:
        return {item.call_id for item in self.server_items if isinstance(item, wire.FunctionCallOutputItem)}

    # -- the conversation ----------------------------------------------------------------------------------------

    def _add(self, item: wire.Item) -> None:
        assert self._conversation is not None, "tools of the server are not offered out of band"
        after = self._before_calls if isinstance(item, wire.MessageItem) else None
        if after is not None and after not in self._conversation:
            after = ROOT if after == ROOT else None
        previous = self._context.add_item(to_core_item(item), after, by_reply=True)
        self._previous[item.id] = previous
        self._put(events.ConversationItemAdded(previous_item_id=previous, item=item))

    def _keep(self, item: wire.Item) -> None:
        """Put the finished item into history; speech only as far as it was heard."""
        assert self._conversation is not None
        if isinstance(item, wire.MessageItem) and self._options.spoken:
            self._conversation.update_speech(item.id, item.status)
        else:
            self._conversation.complete(to_core_item(item), awaited=item not in self.server_items)
        if isinstance(item, wire.FunctionCallItem) and self.reasoning is not None:
            self._conversation.keep_reasoning(item.id, self.reasoning)
        self._put(events.ConversationItemDone(previous_item_id=self._previous[item.id], item=item))

    def _put(self, event: events.ServerEvent) -> None:
        self._context.outbox.put(event, self._response_id)
