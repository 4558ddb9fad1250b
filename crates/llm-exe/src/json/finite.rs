//! Converts values to JSON without losing floats. serde_json writes NaN and infinite floats as
//! null, so a prompt would contain a gap instead of the number.

use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::{Error, Value};

/// Converts a value to JSON.
///
/// # Errors
/// Returns an error if the value can't be serialized, or contains NaN or an infinite float.
pub(crate) fn to_value(value: &impl Serialize) -> Result<Value, Error> {
    let json = serde_json::to_value(value)?;
    // Only a null can be the result of such a float, so most values are serialized once.
    if contains_null(&json) {
        value.serialize(FiniteFloats)?;
    }
    Ok(json)
}

fn contains_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(contains_null),
        Value::Object(fields) => fields.values().any(contains_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A serializer that writes nothing and fails at the first float that is not finite.
#[derive(Clone, Copy)]
struct FiniteFloats;

/// Implements the methods for values that contain no float.
macro_rules! accept {
    ($($method:ident($($kind:ty),*);)*) => {
        $(fn $method(self, $(_: $kind),*) -> Result<(), Error> { Ok(()) })*
    };
}

/// Implements the methods that begin a compound value.
macro_rules! begin {
    ($($method:ident($($kind:ty),*);)*) => {
        $(fn $method(self, $(_: $kind),*) -> Result<Self, Error> { Ok(self) })*
    };
}

impl Serializer for FiniteFloats {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    begin! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn serialize_f32(self, float: f32) -> Result<(), Error> {
        self.serialize_f64(float.into())
    }

    fn serialize_f64(self, float: f64) -> Result<(), Error> {
        if float.is_finite() {
            return Ok(());
        }
        Err(Error::custom(format!("JSON can't represent the number {float}")))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }
}

/// Implements a trait for the parts of compound values. Its method has the name of the part first
/// if the part has one.
macro_rules! parts {
    ($($name:ident::$method:ident($($key:ty)?);)*) => {
        $(impl ser::$name for FiniteFloats {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $(_: $key,)?
                value: &T,
            ) -> Result<(), Error> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(&'static str);
    SerializeStructVariant::serialize_field(&'static str);
}

impl ser::SerializeMap for FiniteFloats {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(*self)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::json;

    use super::to_value;

    #[derive(Serialize)]
    enum Shape {
        Point,
        Square(f64),
        Pair(f64, Option<f32>),
        Circle { radius: f64 },
    }

    #[test]
    fn floats_that_json_can_not_represent_are_errors() {
        for shape in [
            Shape::Square(f64::NAN),
            Shape::Pair(1.0, Some(f32::NEG_INFINITY)),
            Shape::Circle { radius: f64::INFINITY },
        ] {
            let map = BTreeMap::from([("shapes", vec![Some(Shape::Point), Some(shape)])]);
            let error = to_value(&map).unwrap_err().to_string();
            assert!(error.starts_with("JSON can't represent the number "), "{error}");
        }
        assert_eq!(
            to_value(&f64::NAN).unwrap_err().to_string(),
            "JSON can't represent the number NaN"
        );
    }

    #[test]
    fn other_values_are_converted() {
        let value = (None::<f64>, (), [Shape::Pair(0.5, None), Shape::Square(-0.0)]);
        assert_eq!(
            to_value(&value).unwrap(),
            json!([null, null, [{"Pair": [0.5, null]}, {"Square": -0.0}]])
        );
    }
}
