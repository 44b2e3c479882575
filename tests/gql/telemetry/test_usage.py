"""Usage over the API: readings of a device by hour, with the device itself."""

from __future__ import annotations

from testing.api import Api

TEXT = """query U($from: DateTime!) { usage(from: $from, bucket: "PT1H", groupBy: DEVICE, first: 5) {
  starts truncated groups { key device { name } readings totalReadings totalPoints uptime } } }"""


def test_usage_is_reported_by_device(api: Api) -> None:
    api.organization("using")
    client = api.client("using")
    client.call('mutation { createDevice(input: {name: "meter", externalId: "m"}) { device { id } } }')
    sent = client.call(
        'mutation { ingestTelemetry(readings: [{externalId: "m", metrics: {a: 1, b: 2}}, {externalId: "m", metrics: {a: 2}}]) { accepted } }'
    ).data["ingestTelemetry"]
    assert sent == {"accepted": 2}
    since = client.call("{ entities { nodes { createdAt } } }").data["entities"]["nodes"][0]["createdAt"]
    usage = client.call(TEXT, {"from": since}).data["usage"]
    [group] = usage["groups"]
    assert (group["device"], group["totalReadings"], group["totalPoints"]) == ({"name": "meter"}, 2, 3)
    assert len(group["readings"]) == len(usage["starts"]) <= 2
    assert sum(group["readings"]) == 2
    assert 0.5 <= group["uptime"] <= 1
    api.organization("using-elsewhere")
    assert api.client("using-elsewhere").call(TEXT, {"from": since}).data["usage"]["groups"] == []
    assert client.call(TEXT, {"from": "2999-01-01T00:00:00Z"}).error_codes == ["BAD_USER_INPUT"]
