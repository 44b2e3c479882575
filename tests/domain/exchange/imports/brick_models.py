"""Brick models of buildings that are not real, each after a shape that real ones have."""

from __future__ import annotations

PREFIXES = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix bf: <https://brickschema.org/schema/1.0.1/BrickFrame#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix unit: <http://qudt.org/vocab/unit/> .
@prefix ref: <https://brickschema.org/schema/Brick/ref#> .
@prefix : <urn:x#> .
"""


def office(rooms: int = 40) -> str:
    """Return an office of 2016: each room's sensor says that it has the room as its point, and so do its boxes'."""
    parts = [":building a brick:Building ; bf:hasPart :floor . :floor a brick:Floor ."]
    for number in range(rooms):
        ahu = f":ahu{number % 2}"
        parts.append(
            f"""
            :room{number} a brick:Room ; bf:isPartOf :floor ; bf:hasPoint :t{number} .
            :t{number} a brick:Zone_Temperature_Sensor ; bf:hasPoint :room{number} ; bf:isPointOf :vav{number} .
            :vav{number} a brick:VAV ; bf:feeds :room{number} ; bf:isFedBy {ahu} ; bf:hasPoint :room{number} .
            :flow{number} a brick:Supply_Air_Flow_Sensor ; bf:isPointOf :vav{number} .
            """
        )
    parts.append(
        """
        :ahu0 a brick:AHU ; bf:hasPoint :sat0, :building . :sat0 a brick:Supply_Air_Temperature_Sensor .
        :ahu1 a brick:AHU ; bf:hasPart :fan1 . :fan1 a brick:Supply_Fan ; bf:hasPoint :speed1 .
        :speed1 a brick:Fan_Speed_Command .
        """
    )
    return PREFIXES + "\n".join(parts)


def metered(panels: int = 12) -> str:
    """Return a building whose panels have their meters as points, the meters having points and submeters."""
    parts = [
        """
        :site a brick:Site ; brick:latitude 47.25 ; brick:longitude 8.5 .
        :building a brick:Building ; brick:hasSite :site ; brick:isMeteredBy :main ;
            brick:grossArea [ brick:value 1250.5 ; brick:hasUnit unit:M2 ] .
        :main a brick:Building_Electrical_Meter ; brick:hasPoint :kwh . :kwh a brick:Energy_Sensor .
        :ahu a brick:AHU ; brick:hasPoint :ahumeter ; brick:hasLocation :building ; brick:isMeteredBy :ahumeter .
        :ahumeter a brick:Electrical_Meter ; brick:isSubMeterOf :main ; brick:hasPoint :ahukw .
        :ahukw a brick:Electric_Power_Sensor .
        """
    ]
    parts.extend(
        f"""
        :panel{number} a brick:Electrical_Panel ; brick:hasLocation :building ; brick:hasPoint :meter{number} .
        :meter{number} a brick:Electrical_Meter ; brick:isSubMeterOf :main ; brick:meters :panel{number} ;
            brick:hasPoint :kw{number}, :a{number}, :v{number} .
        :kw{number} a brick:Electric_Power_Sensor ; brick:hasUnit unit:KiloW .
        :a{number} a brick:Current_Sensor . :v{number} a brick:Voltage_Sensor .
        """
        for number in range(panels)
    )
    return PREFIXES + "\n".join(parts)


def laboratory() -> str:
    """Return a laboratory: shared sensors, several classes, ports of a charger, controllers, dangling references."""
    return (
        PREFIXES
        + """
        :building a brick:Building ; brick:hasPart :lab, :office, :terrace, :annex .
        :lab a brick:Laboratory, brick:Room ; brick:isFedBy :vav1 ; brick:adjacentTo :office .
        :office a brick:Room, brick:Point ; brick:isFedBy :vav2 ; brick:adjacentTo :lab .
        :terrace a brick:Roof . :zone a brick:HVAC_Zone ; brick:hasPart :lab, :office .
        :weather a brick:Weather_Station ; brick:hasLocation :terrace ; brick:hasPoint :oat, :oah .
        :oat a brick:Outside_Air_Temperature_Sensor . :oah a brick:Outside_Air_Humidity_Sensor .
        :ahu1 a brick:AHU, brick:Equipment ; brick:feeds :vav1 ; brick:hasPoint :oat, :sat1, :header .
        :ahu2 a brick:AHU ; brick:feeds :vav2, :gone ; brick:hasPoint :oat, :oah, :sat2, :header .
        :header a brick:Hot_Water_Supply_Temperature_Sensor ; brick:isPointOf :loop .
        :loop a brick:Hot_Water_Loop ; brick:feeds :coil1, :coil2 .
        :coil1 a brick:Heating_Coil ; brick:isPartOf :ahu1 . :coil2 a brick:Heating_Coil ; brick:isPartOf :ahu2 .
        :sat1 a brick:Supply_Air_Temperature_Sensor, brick:Sensor, brick:Point .
        :sat2 a brick:Supply_Air_Temperature_Sensor ; ref:hasExternalReference [ ref:hasTimeseriesId "s2" ] .
        :vav1 a brick:VAV ; brick:isControlledBy :plc . :vav2 a brick:VAV ; brick:hasPoint :damper2 .
        :damper2 a brick:Damper_Position_Command ; brick:controls :vav2 . :plc a brick:Controller .
        :hub a brick:Electric_Vehicle_Charging_Station ; brick:hasPart :port1, :port2 .
        :port1 a brick:Electric_Vehicle_Charging_Port ; brick:hasPoint :kw1 . :kw1 a brick:Electric_Power_Sensor .
        :port2 a brick:Electric_Vehicle_Charging_Port ; brick:hasPoint :kw2 . :kw2 a brick:Electric_Power_Sensor .
        :gas a :Gas_Rate ; brick:isPointOf :loop . :Gas_Rate a owl:Class ; rdfs:subClassOf brick:Point .
        """
    )
